import { z } from 'zod';
import type { ClientLogLine } from './client-log.ts';
import type { Findings } from './findings.ts';
import { shown } from './orders.ts';

interface Answered {
  readonly requestHash: string | undefined;
  readonly status: number;
  readonly bodyHash: string;
}

/** A key as the services know it: bare, or as a quoted string, it is the same one. */
export const unquoted = (key: string): string => (key.startsWith('"') ? key.slice(1, -1).replace(/\\(.)/g, '$1') : key);

const withCode = z.object({ code: z.string() });

// These are answers to the request itself, recorded with its key. All others (who asks, how, how much there is to do) say
// that it was not looked at: they may come before or after any answer.
const decisions = new Set([404, 409, 412, 422]);
const isDecision = ({ status, body }: ClientLogLine) =>
  (status >= 200 && status < 300) ||
  (decisions.has(status) && withCode.safeParse(body).data?.code !== 'idempotency-key-in-progress');

/** I7 in the client log: a key that has brought an answer brings the same bytes to the same request, and nothing else. */
export function createKeyCheck(findings: Findings): { look(line: ClientLogLine): void } {
  const answered = new Map<string, Answered>();
  return {
    look(line) {
      const { client, tenant, method, path, key, requestHash, status, bodyHash } = line;
      if (key === undefined || !isDecision(line)) return;
      const name = `${method} ${path} with key ${shown(unquoted(key))} of ${client}`;
      const before = answered.get(`${tenant} ${name}`);
      const succeeded = status >= 200 && status < 300;
      if (succeeded) findings.checked('I7');
      if (!before) {
        if (succeeded) answered.set(`${tenant} ${name}`, { requestHash, status, bodyHash });
      } else if (before.requestHash !== requestHash) {
        if (succeeded) findings.wrong('I7', name, 'another request was taken under the same key');
      } else if (before.status !== status) {
        findings.wrong('I7', name, `answered ${before.status} once and ${status} another time`);
      } else if (before.bodyHash !== bodyHash) {
        findings.wrong('I7', name, 'answered with other bytes another time');
      }
    },
  };
}
