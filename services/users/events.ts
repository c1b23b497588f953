import type { z } from 'zod';
import { on, type EventHandler, type Subscription } from '../_chassis/consumer.ts';
import { eventSource, eventType } from '../_chassis/contract.ts';
import type { Transaction } from '../_chassis/database.ts';
import { finish } from '../_chassis/due-work.ts';
import type { Envelope } from '../_chassis/envelope.ts';
import { usersContract } from './contract.ts';
import { expiryKind } from './erasure.ts';
import * as expected from './expectations.ts';
import { addPart } from './exports.ts';
import { grant } from './memberships.ts';
import { decideProfile } from './profile.ts';
import * as store from './store.ts';
import { home } from './store.ts';

const { ProfileCreated } = usersContract.events;

const join = (tx: Transaction, userId: string) => grant(tx, home, userId, ['customer']);

/** Profiles and exports are in one tenant, whichever an event is about. */
const atHome = <Data extends z.ZodType>(
  expects: Data,
  handle: (tx: Transaction, data: z.output<Data>, event: Envelope) => Promise<void> | void,
): EventHandler => on(expects, (tx, data, event) => tx.within(home, async () => handle(tx, data, event)));

/** What auth says of accounts moves their profiles on; what services hold of a person goes into the export asked for. */
export const subscriptions: readonly Subscription[] = [
  {
    source: 'auth',
    topic: 'auth.events',
    handlers: {
      [eventType('auth', 'account.registered')]: atHome(
        expected.accountRegistered,
        async (tx, { userId, name, email }) => {
          const before = await store.lockProfile(tx, userId);
          const state = decideProfile(before?.state ?? 'none', 'register');
          if (state === 'unchanged') return;
          const content = { name, email, addresses: [], preferences: {} };
          if (before && state === 'active') {
            store.changeProfile(tx, before, state, content);
            await join(tx, userId);
          } else {
            store.addProfile(tx, userId, 'invited', content);
          }
          tx.emit(ProfileCreated, {
            subject: userId,
            tenant: home,
            data: { userId, name, email, origin: 'registration' },
          });
        },
      ),
      [eventType('auth', 'account.verified')]: atHome(expected.accountVerified, async (tx, { userId }) => {
        const state = decideProfile((await store.lockProfile(tx, userId))?.state ?? 'none', 'verify');
        if (state === 'verified') store.noteProfile(tx, userId, state);
        if (state !== 'active') return;
        store.activateProfile(tx, userId);
        finish(tx, { kind: expiryKind, subject: userId });
        await join(tx, userId);
      }),
      [eventType('auth', 'account.declined')]: atHome(expected.accountDeclined, async (tx, { userId }) => {
        const state = decideProfile((await store.lockProfile(tx, userId))?.state ?? 'none', 'decline');
        if (state === 'erased') store.noteProfile(tx, userId, state);
        if (state !== 'declined') return;
        store.declineProfile(tx, userId);
        store.forgetSaid(tx, userId, { name: false });
      }),
      ...collected('auth'),
    },
  },
  { source: 'orders', topic: 'orders.personal-data', handlers: collected('orders') },
];

function collected(service: string): Record<string, EventHandler> {
  return {
    [eventType(service, 'personal-data.collected')]: atHome(
      expected.personalDataCollected,
      async (tx, { exportId, data }, { id, source, tenant }) =>
        addPart(tx, {
          exportId,
          eventId: `${source} ${id}`,
          service: source.slice(eventSource('').length),
          tenant,
          data,
        }),
    ),
  };
}
