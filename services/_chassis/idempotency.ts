import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from './call.ts';
import type { Refusal } from './contract.ts';
import type { Database, Transaction } from './database.ts';

// A sidecar that lost an attempt's answer asks again at once, while that attempt is about to end; no connection is held.
const waitsMs = [25, 50, 100, 200, 400, 800];

/**
 * Runs a write once per (tenant, caller, key) and gives the recorded answer to every repetition: the key, the request's
 * hash and the answer are a row written in the transaction of the effect. A key that is being worked on elsewhere for longer
 * than a moment is `in-progress`, a key used for another request `key-reused` (IETF draft-ietf-httpapi-idempotency-key-header).
 */
export async function once<T extends { kind: string }>(
  db: Database,
  call: Pick<Call, 'tenant' | 'caller' | 'idempotencyKey'>,
  method: string,
  request: unknown,
  work: (tx: Transaction) => Promise<T>,
): Promise<T | Refusal> {
  const { tenant, caller, idempotencyKey: key } = call;
  const hash = createHash('sha256').update(method).update('\0').update(JSON.stringify(request)).digest('base64');
  const attempt = () =>
    db.of(tenant).transaction<T | Refusal>(async (tx) => {
      // The lock goes with the transaction, so it can be had only when the row of whoever held it is visible.
      const [lock] = await tx.query<{ held: boolean }>(
        `select pg_try_advisory_xact_lock(hashtextextended(jsonb_build_array($1::text, $2::text, $3::text)::text, 0)) as held`,
        [tenant, caller, key],
      );
      if (!lock?.held) return { kind: 'in-progress' };
      const [known] = await tx.query<{ request_hash: string; answer: string }>(
        'select request_hash, answer from idempotency_keys where tenant = $1 and caller = $2 and key = $3',
        [tenant, caller, key],
      );
      if (known) return known.request_hash === hash ? (JSON.parse(known.answer) as T) : { kind: 'key-reused' };
      const answer = await work(tx);
      tx.write('insert into idempotency_keys (tenant, caller, key, request_hash, answer) values ($1, $2, $3, $4, $5)', [
        tenant,
        caller,
        key,
        hash,
        JSON.stringify(answer),
      ]);
      return answer;
    });

  for (const waitMs of waitsMs) {
    const answer = await attempt();
    if (answer.kind !== 'in-progress') return answer;
    await delay(waitMs);
  }
  return attempt();
}
