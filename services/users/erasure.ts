import type { Database, Transaction } from '../_chassis/database.ts';
import { finish, startDueWork } from '../_chassis/due-work.ts';
import type { Log } from '../_chassis/log.ts';
import type { Worker } from '../_chassis/worker.ts';
import { usersContract } from './contract.ts';
import { dropExport, dropExportsOf, exportKind } from './exports.ts';
import { endInvitation, lockedMembershipsOf, placesOf, revoke } from './memberships.ts';
import { decideProfile } from './profile.ts';
import { eraseProfile, forgetAnswers, forgetSaid, home, lockProfile, type Profile } from './store.ts';
import { invitationKind } from './tenants.ts';

const { ProfileErased } = usersContract.events;

/** The due work that erases the profile of somebody who was invited and never came. */
export const expiryKind = 'end-profile';

/** At home: erases a locked profile and all that is said of it here; every tenant that the person was in is told. */
export async function erase(tx: Transaction, profile: Profile): Promise<void> {
  const { id: userId } = profile;
  const memberships = await lockedMembershipsOf(tx, userId);
  for (const membership of memberships) await tx.within(membership.tenant, async () => revoke(tx, membership));
  const places = new Set([home, ...(await placesOf(tx, userId))]);
  eraseProfile(tx, profile);
  dropExportsOf(tx, userId);
  forgetSaid(tx, userId, { name: true });
  for (const tenant of places) await tx.within(tenant, async () => forgetAnswers(tx, userId));
  finish(tx, { kind: expiryKind, subject: userId });
  for (const tenant of places) tx.emit(ProfileErased, { subject: userId, tenant, data: { userId } });
}

/** The workers that end what has had its time: profiles and invitations that nobody took, exports. */
export function startEndings(deps: { database: Database; log: Log }): Worker[] {
  const { database } = deps;
  const start = (kind: string, end: (tx: Transaction, tenant: string, subject: string) => Promise<void> | void) =>
    startDueWork({
      ...deps,
      kind,
      batch: 5,
      leaseMs: 10_000,
      idleMs: 2_000,
      perform: ({ tenant, subject, state }) =>
        database.of(tenant).transaction(async (tx) => {
          await end(tx, tenant, subject);
          finish(tx, { kind, subject, state });
        }),
    });
  return [
    start(expiryKind, async (tx, _tenant, userId) => {
      const profile = await lockProfile(tx, userId);
      if (profile && decideProfile(profile.state, 'expire') === 'erased') await erase(tx, profile);
    }),
    start(invitationKind, endInvitation),
    start(exportKind, (tx, _tenant, exportId) => dropExport(tx, exportId)),
  ];
}
