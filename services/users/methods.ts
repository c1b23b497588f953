import { z } from 'zod';
import type { Cache } from '../_chassis/cache.ts';
import type { Call, Methods } from '../_chassis/call.ts';
import type { Database, Transaction } from '../_chassis/database.ts';
import { schedule } from '../_chassis/due-work.ts';
import { once } from '../_chassis/idempotency.ts';
import { decodeCursor, encodeCursor } from '../_chassis/page.ts';
import { isPermitted, refusedWithout } from '../_chassis/permission.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { permissions } from '../auth/contract.ts';
import { areFew, usersContract, type PublicUser, type User } from './contract.ts';
import { erase, expiryKind } from './erasure.ts';
import { addExport, addPart, exportKind, findExport } from './exports.ts';
import { findMembership, lockedMembershipsOf, memberIds } from './memberships.ts';
import { decideProfile, mergePreferences } from './profile.ts';
import * as store from './store.ts';
import { home, type Content } from './store.ts';
import { tenantMethods } from './tenants.ts';

const { ProfileCreated, EmailChanged, ExportRequested } = usersContract.events;
const position = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const notFound = { kind: 'not-found' } as const;

/** No other text is a person's id; so none can trouble the database or be a key that the state store does not take. */
const isId = (text: string): boolean => /^[\w.-]{1,64}$/.test(text);

/** Where people are told to go, and how long things last, in milliseconds. */
export interface Settings {
  readonly publicUrl: string;
  readonly invitationMs: number;
  readonly exportWaitMs: number;
  readonly exportKeptMs: number;
}

/** Everybody may sign up and see names; a profile is its owner's and, in the tenant that is home to all, staff's. */
export function methods(
  { database, cache }: { database: Database; cache: Cache<PublicUser> },
  settings: Settings,
): Methods<typeof usersContract> {
  /** The owner, or staff at home: in other tenants people are members, and their profiles nobody's but their own. */
  const mayChange = (call: Call, userId: string) =>
    call.principal?.subject === userId || (call.tenant === home && isPermitted(permissions['people.change'], call));

  const mayRead = async (call: Call, userId: string) => {
    if (call.principal?.subject === userId) return true;
    if (!isPermitted(permissions['people.read'], call)) return false;
    return call.tenant === home || (await findMembership(database.of(call.tenant), call.tenant, userId)) !== undefined;
  };

  /** Who may not change a profile is told so, whether there is one or not. */
  const refusedChange = (call: Call, userId: string) =>
    mayChange(call, userId)
      ? undefined
      : { kind: call.principal ? ('forbidden' as const) : ('unauthenticated' as const) };

  /** What is done to profiles is done in the tenant that they are in, whichever the caller is in now. */
  const atHome = <T extends { kind: string }>(
    call: Call,
    method: string,
    request: unknown,
    work: (tx: Transaction) => Promise<T>,
  ) => once(database, call, method, request, (tx) => tx.within(home, () => work(tx)));

  async function edit(
    call: Call,
    method: string,
    wanted: { userId: string; versions: readonly number[] | undefined; version: number | undefined; content: unknown },
    next: (before: User) => Content,
  ) {
    const { userId, version, versions } = wanted;
    const refused = refusedChange(call, userId);
    if (refused) return refused;
    if (!isId(userId)) return notFound;
    const answer = await atHome(call, method, wanted, async (tx) => {
      const before = await store.lockProfile(tx, userId);
      const state = decideProfile(before?.state ?? 'none', 'change');
      if (!before?.user || (state !== 'invited' && state !== 'active')) return notFound;
      const isWanted = versions?.includes(before.version) !== false && (version ?? before.version) === before.version;
      if (!isWanted) return { kind: 'other-version' as const, version: before.version };
      const content = next(before.user);
      if (!areFew(content.preferences)) return { kind: 'too-many-preferences' as const };
      const after = store.changeProfile(tx, before, state, content);
      if (content.email !== before.user.email)
        tx.emit(EmailChanged, {
          subject: userId,
          tenant: home,
          data: { userId, email: content.email, version: after },
        });
      return { kind: 'changed' as const, user: { ...before.user, ...content, version: after } };
    });
    if (answer.kind === 'changed') await cache.settle(home, userId);
    return answer;
  }

  return {
    ...tenantMethods({ database, ...settings }),

    /** Says nothing of whether the address is known: auth knows, and answers its owner alone. */
    createUser: (request, call) =>
      atHome(call, 'createUser', request, async (tx) => {
        const id = uuidv7();
        const { name, email } = request;
        const user = store.addProfile(tx, id, 'invited', request);
        tx.emit(ProfileCreated, { subject: id, tenant: home, data: { userId: id, name, email, origin: 'invitation' } });
        schedule(tx, { kind: expiryKind, subject: id, tenant: home, state: 'invited', inMs: settings.invitationMs });
        return { kind: 'created' as const, user };
      }),

    async listUsers({ limit, cursor }, call) {
      const refused = refusedWithout(permissions['people.read'], call);
      if (refused) return refused;
      const after = cursor === undefined ? 0 : decodeCursor(position, cursor);
      if (after === undefined) return { kind: 'bad-cursor' };
      const { tenant } = call;
      const ids = tenant === home ? undefined : await memberIds(database.of(tenant), tenant);
      const found = await store.listProfiles(database, { ids, after, limit: limit + 1 });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return {
        kind: 'page',
        items: items.map(({ user }) => user),
        ...(found.length > limit && last && { nextCursor: encodeCursor(last.position) }),
      };
    },

    async getUser({ userId }, call) {
      if (!isId(userId)) return notFound;
      if (await mayRead(call, userId)) {
        const found = await store.findProfile(database, userId);
        if (found?.user) return { kind: 'found', user: found.user };
      }
      const { value, cache: from } = await cache.read(home, userId);
      return value ? { kind: 'public', user: value, cache: from } : notFound;
    },

    replaceUser: ({ userId, profile, versions }, call) => {
      const { version, ...content } = profile;
      return edit(call, 'replaceUser', { userId, version, versions, content }, () => content);
    },

    changeUser: ({ userId, change, versions }, call) => {
      const { version, ...changes } = change;
      return edit(call, 'changeUser', { userId, version, versions, content: changes }, (before) => ({
        name: changes.name ?? before.name,
        email: changes.email ?? before.email,
        addresses: changes.addresses ?? before.addresses,
        preferences: mergePreferences(before.preferences, changes.preferences ?? {}),
      }));
    },

    async eraseUser(request, call) {
      const { userId } = request;
      const refused = refusedChange(call, userId);
      if (refused) return refused;
      if (!isId(userId)) return notFound;
      const answer = await atHome(call, 'eraseUser', request, async (tx) => {
        const profile = await store.lockProfile(tx, userId);
        if (!profile || decideProfile(profile.state, 'erase') !== 'erased') return notFound;
        await erase(tx, profile);
        return { kind: 'erased' as const };
      });
      if (answer.kind === 'erased') await cache.settle(home, userId);
      return answer;
    },

    async requestExport(request, call) {
      const { userId } = request;
      const refused = refusedChange(call, userId);
      if (refused) return refused;
      if (!isId(userId)) return notFound;
      return atHome(call, 'requestExport', request, (tx) => collect(tx, userId));
    },

    async getExport({ exportId }, call) {
      if (!call.principal) return { kind: 'unauthenticated' };
      const found = isId(exportId) ? await findExport(database, exportId) : undefined;
      return found && mayChange(call, found.userId) ? { kind: 'found', export: found } : notFound;
    },
  };

  /** What we hold ourselves is the first part; every tenant of the person is asked for the others. */
  async function collect(tx: Transaction, userId: string) {
    const user = (await store.lockProfile(tx, userId))?.user;
    if (!user) return notFound;
    const memberships = await lockedMembershipsOf(tx, userId);
    const asked = [...new Set([home, ...memberships.map(({ tenant }) => tenant)])];
    const exportId = uuidv7();
    addExport(tx, { id: exportId, userId, asked, waitMs: settings.exportWaitMs });
    const own = memberships.map(({ tenant, name, roles }) => ({ tenant, name, roles }));
    addPart(tx, {
      exportId,
      eventId: exportId,
      service: 'users',
      tenant: home,
      data: { profile: user, memberships: own },
    });
    schedule(tx, { kind: exportKind, subject: exportId, tenant: home, state: 'kept', inMs: settings.exportKeptMs });
    for (const tenant of asked) tx.emit(ExportRequested, { subject: exportId, tenant, data: { exportId, userId } });
    return { kind: 'requested' as const, exportId };
  }
}
