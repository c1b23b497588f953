import type { Operation } from './document.ts';
import { isHonest } from './judge.ts';
import type { Answer } from './wire.ts';

interface Row {
  sent: number;
  succeeded: number;
  refused: number;
  held: number;
  limited: number;
  valid: number;
  validSucceeded: number;
  validLimited: number;
}
const empty = (): Row => ({
  ...{ sent: 0, succeeded: 0, refused: 0, held: 0, limited: 0 },
  ...{ valid: 0, validSucceeded: 0, validLimited: 0 },
});

/** Paths where nothing generated can come to a success, each with the reason. */
const outOfReach: Readonly<Record<string, string>> = {
  '/oauth/token': 'takes a code, a refresh token or a secret',
  '/oauth/introspect': 'takes a client’s secret',
  '/oauth/revoke': 'takes a client',
  '/oauth/userinfo': 'takes only a token that has the scope openid, which comes of a visit',
  '/api/tenants/{tenantId}/invitations': 'takes an admin who is a member, and those of a drill are made up',
  '/api/invitations/{invitationId}/acceptance': 'takes what was mailed',
  '/api/memberships/{membershipId}': 'takes one that somebody was invited to',
};

const mostHeldShare = 0.02;
const mostLimitedShare = 0.5;
const leastValidShare = 0.5;
const mostShown = 3;

/** Counts what was answered, by operation, and keeps what was wrong, by kind. */
export function createTally(operations: readonly Operation[]) {
  const rows = new Map(operations.map(({ id }) => [id, empty()]));
  const raw = empty();
  const faults = new Map<string, { count: number; replays: string[] }>();
  let wrong = 0;

  function fault(text: string, replay: () => string): void {
    wrong += 1;
    const known = faults.get(text) ?? { count: 0, replays: [] };
    faults.set(text, known);
    known.count += 1;
    if (known.replays.length < mostShown) known.replays.push(replay());
  }

  function count(row: Row, answer: Answer): void {
    row.sent += 1;
    if (answer.status < 400) row.succeeded += 1;
    else if (answer.status === 429) row.limited += 1;
    else if (isHonest(answer)) row.held += 1;
    else row.refused += 1;
  }

  function violations(): string[] {
    const all = [...rows.values(), raw];
    const sum = (of: (row: Row) => number) => all.reduce((total, row) => total + of(row), 0);
    const reachable = operations.filter(({ path, isPage }) => !isPage && outOfReach[path] === undefined);
    const of = (what: (row: Row) => number) =>
      reachable.reduce((total, { id }) => total + what(rows.get(id) ?? raw), 0);
    const sent = sum((row) => row.sent);
    const held = sum((row) => row.held);
    const limited = sum((row) => row.limited);
    return [
      ...[...faults].map(
        ([text, { count: times, replays }]) => `${text} (${times} times)\n    ${replays.join('\n    ')}`,
      ),
      ...(held > sent * mostHeldShare ? [`${held} of ${sent} were answered 503`] : []),
      ...(limited > sent * mostLimitedShare ? [`${limited} of ${sent} were answered 429`] : []),
      ...reachable.filter(({ id }) => rows.get(id)?.validSucceeded === 0).map(({ id }) => `${id} never succeeded`),
      ...(of((row) => row.validSucceeded) < of((row) => row.valid - row.validLimited) * leastValidShare
        ? ['too few valid requests succeeded for this to say anything']
        : []),
    ];
  }

  return {
    answered({ id }: Operation, what: string, answer: Answer, found: readonly string[], replay: () => string): void {
      const row = rows.get(id) ?? empty();
      count(row, answer);
      if (what === 'valid') {
        row.valid += 1;
        if (answer.status < 400) row.validSucceeded += 1;
        if (answer.status === 429) row.validLimited += 1;
      }
      for (const text of found) fault(`${id}, ${what}: ${text}`, replay);
    },
    failed({ id }: Operation, what: string, text: string, replay: () => string): void {
      const row = rows.get(id) ?? empty();
      row.sent += 1;
      fault(`${id}, ${what}: ${text}`, replay);
    },
    heard(name: string, answers: readonly Answer[], found: readonly string[], replay: () => string): void {
      if (answers.length === 0) raw.sent += 1;
      for (const answer of answers) count(raw, answer);
      for (const text of found) fault(`raw, ${name}: ${text}`, replay);
    },
    faults: () => wrong,
    result: () => ({
      rows: [...[...rows].map(([operation, row]) => ({ operation, ...row })), { operation: 'raw', ...raw }],
      violations: violations(),
    }),
  };
}
