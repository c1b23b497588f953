import { AsyncLocalStorage } from 'node:async_hooks';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { z } from 'zod';
import type { Transaction } from '../_chassis/database.ts';
import { clientPayload } from './clients.ts';
import { digestOf, type Sealing } from './sealing.ts';
import {
  consumePayload,
  dropGranted,
  dropPayload,
  findClient,
  lockPayload,
  payloadByUid,
  putPayload,
} from './store-oidc.ts';

/** One exchange: its transaction, and what broke in it, which oidc-provider swallows. */
export interface Exchange {
  readonly tx: Transaction;
  failure?: unknown;
}
export const currentExchange = new AsyncLocalStorage<Exchange>();

function transaction(): Transaction {
  const exchange = currentExchange.getStore();
  if (!exchange) throw new Error('oidc-provider asked for its data outside of an exchange');
  return exchange.tx;
}

const payload = z.record(z.string(), z.unknown());
const text = (value: unknown) => (typeof value === 'string' ? value : undefined);

/** Where oidc-provider keeps its things: PostgreSQL, in the transaction of the current exchange. */
export const createAdapter = (sealing: Sealing, publicUrl: string) =>
  function adapterOf(model: string): Adapter {
    const about = (key: string) => `oidc ${model} ${key}`;
    const opened = (row: Awaited<ReturnType<typeof lockPayload>>, id?: string): AdapterPayload | undefined =>
      row && {
        ...payload.parse(JSON.parse(sealing.open(row.sealed, about(row.id)))),
        ...(id !== undefined && { jti: id }),
        ...(row.consumed !== null && { consumed: Math.floor(row.consumed) }),
      };

    return {
      async upsert(id, given, lifeSeconds) {
        const key = digestOf(id);
        await putPayload(transaction(), model, {
          key,
          sealed: sealing.seal(JSON.stringify(given), about(key)),
          accountId: text(given.accountId),
          grantId: model === 'Grant' ? undefined : text(given.grantId),
          uid: text(given.uid),
          lifeSeconds: Number.isFinite(lifeSeconds) ? lifeSeconds : undefined,
        });
      },
      async find(id) {
        if (model !== 'Client') return opened(await lockPayload(transaction(), model, digestOf(id)), id);
        const stored = await findClient(transaction(), id);
        return stored && clientPayload(stored, publicUrl);
      },
      findByUid: async (uid) => opened(await payloadByUid(transaction(), model, uid)),
      findByUserCode: async () => undefined, // no device flow
      consume: (id) => consumePayload(transaction(), model, digestOf(id)),
      destroy: (id) => dropPayload(transaction(), model, digestOf(id)),
      revokeByGrantId: (grantId) => dropGranted(transaction(), model, grantId),
    };
  };
