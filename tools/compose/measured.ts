import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { repository } from '../mesh/home.ts';
import { machine, readMachine, readTree, tree } from '../surroundings.ts';
import { tally } from '../chaos/seen.ts';

const measured = z.strictObject({ tree, machine, at: z.iso.datetime() });

/** Starts from nothing, each with what was started more than once. */
const coldStarts = measured.extend({
  rounds: z.array(
    z.strictObject({
      /** Until `up --wait` returned. */
      healthySeconds: z.number(),
      /** Until an order was shipped. */
      shippedSeconds: z.number(),
      restarted: z.array(z.string()),
    }),
  ),
});
export type ColdStarts = z.infer<typeof coldStarts>;

/** What each container took of the memory, in MiB, while people had shopped for so many minutes. */
const memory = measured.extend({
  minutes: z.number(),
  saw: z.strictObject({ browse: tally, checkout: tally, orders: tally }),
  audit: z.array(z.string()),
  containers: z.array(
    z.strictObject({
      service: z.string(),
      kind: z.enum(['edge', 'pod', 'app', 'sidecar', 'bank', 'postgres', 'redis', 'sentry', 'tool']),
      limit: z.number(),
      inUse: z.number(),
      pss: z.number().optional(),
    }),
  ),
});
export type MemoryRecord = z.infer<typeof memory>;

const folder = join(repository, 'docs', 'records', 'containers');
const schemas = { 'cold-starts': coldStarts, memory } as const;
type Records = { readonly 'cold-starts': ColdStarts; readonly memory: MemoryRecord };

/** On what tree and machine something is measured, and when. */
export const surroundings = () => ({ tree: readTree(), machine: readMachine(), at: new Date().toISOString() });

/** A record that is kept. */
export async function readMeasured<N extends keyof Records>(name: N): Promise<Records[N]> {
  const text = await readFile(join(folder, `${name}.json`), 'utf8');
  return schemas[name].parse(JSON.parse(text)) as Records[N];
}

/** Keeps a record in place of the one before. */
export async function keepMeasured<N extends keyof Records>(name: N, record: Records[N]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(record, undefined, 2)}\n`);
}
