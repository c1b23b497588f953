import { z } from 'zod';
import { violationsOf } from '../../services/_e2e/shop.ts';
import type { Project } from './project.ts';

const report = z.object({
  clean: z.boolean(),
  orders: z.number(),
  findings: z.array(
    z.object({
      invariant: z.string(),
      violations: z.array(z.object({ subject: z.string(), problem: z.string() })),
    }),
  ),
});
/** What `audit` exits with when it could not run; anything else is a report. */
const couldNotRun = 2;

/** Waits until all orders have ended, and audits all books and what clients were told; one line for each violation. */
export async function auditBooks(project: Project, clientLog: string): Promise<string[]> {
  const audit = '/app/containers/cli.sh audit --log /tmp/clients.jsonl --timeout 90 --json';
  const output = await project.compose([
    ...['run', '--rm', '-T', '--no-deps', '-v', `${clientLog}:/tmp/clients.jsonl:ro`, '--entrypoint', 'sh', 'cli'],
    ...['-c', `${audit}; test $? -ne ${couldNotRun}`],
  ]);
  return violationsOf(report.parse(JSON.parse(output)));
}
