import { expect } from 'vitest';
import { readClientLog } from '../../tools/audit/client-log.ts';
import { readConformity } from '../gateway/test-conformity.ts';

/** Holds every answer of a client log against the published document, and fails unless each of these routes has succeeded. */
export async function expectAnswered(clientLog: string, routes: object): Promise<void> {
  const conformity = await readConformity();
  const succeeded = new Set<string | undefined>();
  const problems = new Set<string>();
  for await (const { method, path, status, body } of readClientLog(clientLog)) {
    const { operation, problem } = conformity({ method, path, status, body });
    if (status < 300) succeeded.add(operation);
    if (problem !== undefined) problems.add(`${method} ${path} ${status}: ${problem}`);
  }
  expect([...problems]).toEqual([]);
  expect(Object.keys(routes).filter((name) => !succeeded.has(name))).toEqual([]);
}
