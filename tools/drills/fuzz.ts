import { z } from 'zod';
import { violationsOf, type Shop } from '../../services/_e2e/shop.ts';
import { openClientLog } from '../audit/client-log.ts';
import type { Person } from '../fuzz/request.ts';
import { fuzz as send } from '../fuzz/run.ts';
import { withShop, type Drill, type DrillDeps, type DrillResult } from './drill.ts';

const sizes = { share: { requests: 3_000 }, whole: { requests: 100_000 } };

const people: readonly Person[] = [
  ...Array.from({ length: 8 }, (_, n) => ({ name: `fuzz-${n + 1}`, roles: ['customer'] })),
  { name: '3', roles: ['staff'] },
  { name: '4', roles: ['warehouse'] },
  { name: '5', roles: ['admin'] },
];

const env = {
  // Orders stay open for a while, so that what can still happen to them is reached.
  ...{ FULFILLMENT_PICK_MS: '2500', FULFILLMENT_PACK_MS: '500' },
  // It is one address that sends all this.
  ...{ GATEWAY_READS_PER_SECOND: '1000', GATEWAY_SIGN_INS_PER_SECOND: '50', GATEWAY_SIGN_INS_BURST: '100' },
};

/** Requests made from the gateway's own document: valid, one mutation away from that, random, and no HTTP at all. */
export const fuzz: Drill = {
  name: 'fuzz',
  proves:
    'When requests are one mutation away from what the API describes, random, or hardly HTTP, each answer is as published, nothing of ours is in it, no forbidden one is accepted, and the books stay clean.',
  run: (size, deps) => withShop(deps, { env }, (shop) => attack(shop, sizes[size].requests, deps)),
};

const described = z.looseObject({});

async function attack(shop: Shop, requests: number, { seed, report }: DrillDeps): Promise<DrillResult> {
  const document = described.parse((await shop.as()({ path: '/openapi.json' })).body);
  const log = openClientLog(shop.clientLog);
  const bearer = ({ name: sub, roles }: Person) => shop.bearerOf({ sub, roles });
  const found = await send({ port: 8080, requests, seed, document, people, bearer, log, report });
  await log.close();
  report('waiting for the end and auditing');
  const sum = (of: (row: (typeof found.rows)[number]) => number) =>
    found.rows.reduce((total, row) => total + of(row), 0);
  return {
    figures: {
      requests,
      operations: found.rows.length - 1,
      succeeded: sum((row) => row.succeeded),
      refused: sum((row) => row.refused),
      answered503: sum((row) => row.held),
      answered429: sum((row) => row.limited),
      seconds: found.seconds,
      perSecond: Math.round(requests / found.seconds),
    },
    rounds: found.rows.map(({ operation, sent, succeeded, refused, held, limited, valid, validSucceeded }) => ({
      ...{ operation, sent, succeeded, refused, answered503: held, answered429: limited },
      validSucceededPercent: valid === 0 ? '' : Math.round((100 * validSucceeded) / valid),
    })),
    violations: [...found.violations, ...violationsOf(await shop.inspect())],
  };
}
