import type { z } from 'zod';
import { on, type EventHandler, type Subscription } from '../_chassis/consumer.ts';
import { eventType } from '../_chassis/contract.ts';
import type { Transaction } from '../_chassis/database.ts';
import { home, normaliseEmail } from './account.ts';
import { authContract } from './contract.ts';
import * as expected from './expectations.ts';
import type { Mails } from './mails.ts';
import * as accounts from './store-accounts.ts';
import { countPayloads, dropAllOf } from './store-oidc.ts';
import * as store from './store-roles.ts';
import { mayMail } from './store-tries.ts';

const { AccountDeclined, PersonalDataCollected, RoleGranted, RoleRevoked } = authContract.events;

/** Accounts are in one tenant, whichever an event is about. */
const atHome = <Data extends z.ZodType>(
  expects: Data,
  handle: (tx: Transaction, data: z.output<Data>) => Promise<void>,
): EventHandler => on(expects, (tx, data) => tx.within(home, () => handle(tx, data)));

/** What users says of people: who is invited, renamed in the mail, a member, gone, or wants to know what is kept. */
export const subscriptions = (mails: Mails): readonly Subscription[] => [
  {
    source: 'users',
    topic: 'users.events',
    handlers: {
      [eventType('users', 'profile.created')]: atHome(
        expected.profileCreated,
        async (tx, { userId, name, email: told, origin }) => {
          if (origin !== 'invitation') return;
          const before = await accounts.lockAccount(tx, userId);
          if (before && (before.status === 'erased' || before.name !== '')) return;
          // A change of address that came first is in the row already.
          const email = before?.email ?? normaliseEmail(told);
          const owner = email === undefined ? undefined : await accounts.accountByEmail(tx, email);
          if (email === undefined || (owner && owner.id !== userId)) {
            if (owner && (await mayMail(tx, owner.email))) mails.invitedAgain(tx, owner);
            const data = { userId, reason: 'email-taken' as const };
            tx.emit(AccountDeclined, { subject: userId, tenant: home, data });
            return;
          }
          const account = { id: userId, email, name, passwordHash: null, verified: false } as const;
          if (before) accounts.setName(tx, userId, name);
          else accounts.addAccount(tx, { ...account, status: 'pending' });
          if (await mayMail(tx, email)) mails.invite(tx, account);
        },
      ),

      [eventType('users', 'email.changed')]: atHome(
        expected.emailChanged,
        async (tx, { userId, email: told, version }) => {
          const before = await accounts.lockAccount(tx, userId);
          const email = normaliseEmail(told);
          if (before?.status === 'erased' || (before && before.emailVersion >= version)) return;
          const owner = email === undefined ? undefined : await accounts.accountByEmail(tx, email);
          const isTaken = email === undefined || (owner && owner.id !== userId);
          // Then he goes on signing in with the old one.
          if (before && (isTaken || email === before.email)) return accounts.setEmail(tx, userId, undefined, version);
          if (isTaken) return;
          if (!before) {
            const account = { id: userId, email, name: '', passwordHash: null, verified: false } as const;
            return accounts.addAccount(tx, { ...account, status: 'pending', emailVersion: version });
          }
          accounts.setEmail(tx, userId, email, version);
          if (!(await mayMail(tx, email))) return;
          if (before.passwordHash === null) mails.invite(tx, { ...before, email });
          else mails.verify(tx, { ...before, email });
        },
      ),

      [eventType('users', 'membership.granted')]: on(
        expected.membershipGranted,
        async (tx, { userId, membershipId: id, version, roles }, { tenant }) => {
          const by = `membership:${id}`;
          if (!(await store.noteMembership(tx, tenant, { id, accountId: userId, version, active: true }))) return;
          for (const role of roles)
            if (await store.addRole(tx, tenant, userId, { role, by }))
              tx.emit(RoleGranted, { subject: userId, tenant, data: { userId, role, by } });
        },
      ),

      [eventType('users', 'membership.revoked')]: on(
        expected.membershipRevoked,
        async (tx, { userId, membershipId: id, version }, { tenant }) => {
          const by = `membership:${id}`;
          if (!(await store.noteMembership(tx, tenant, { id, accountId: userId, version, active: false }))) return;
          for (const role of await store.rolesIn(tx, tenant, userId)) {
            await store.removeRole(tx, tenant, userId, role);
            tx.emit(RoleRevoked, { subject: userId, tenant, data: { userId, role, by } });
          }
          dropAllOf(tx, userId);
        },
      ),

      // Both come once for each tenant that the person belonged to, his home among them.
      [eventType('users', 'profile.erased')]: on(expected.profileErased, async (tx, { userId }, { tenant }) => {
        store.forgetMemberships(tx, tenant, userId);
        dropAllOf(tx, userId);
        if (tenant !== home) return;
        const before = await accounts.lockAccount(tx, userId);
        accounts.forgetSaid(tx, userId);
        if (before) return accounts.eraseAccount(tx, userId);
        const nobody = { id: userId, email: '', name: '', passwordHash: null, verified: false } as const;
        accounts.addAccount(tx, { ...nobody, status: 'erased' });
      }),

      [eventType('users', 'export.requested')]: on(
        expected.exportRequested,
        async (tx, { userId, exportId }, { tenant }) => {
          const roles = await store.rolesIn(tx, tenant, userId);
          const account = tenant === home ? await accounts.findAccount(tx, userId) : undefined;
          const { email, name, verified, status } = account ?? {};
          const data = account
            ? { account: { email, name, verified, status }, ...(await countPayloads(tx, userId)), roles }
            : { roles };
          tx.emit(PersonalDataCollected, { subject: userId, tenant, data: { exportId, userId, data } });
        },
      ),
    },
  },
];
