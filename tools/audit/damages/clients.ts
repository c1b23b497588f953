import type { ClientLogLine } from '../client-log.ts';
import type { Damage } from './damage.ts';

/** Damage to what clients were told, and to what a consumer counted. */
export const clientDamages: readonly Damage[] = [
  {
    what: 'an acknowledged order that is gone from every book',
    names: 'gone',
    breaks: ['I1'],
    lines: (lines) =>
      lines.map((line, index) => (index < 12 ? withOrder(line, (order) => ({ ...order, id: 'gone' })) : line)),
  },
  {
    what: 'a client who was told another total',
    breaks: ['I1'],
    lines: (lines) =>
      lines.map((line) => withOrder(line, (order) => ({ ...order, total: { amount: 1, currency: 'EUR' } }))),
  },
  {
    what: 'a state that a client was told, and that was taken back',
    breaks: ['I1'],
    lines: (lines) =>
      lines.map((line) =>
        withOrder(line, (order) => ({ ...order, history: [{ status: 'paid', at: '2026-02-01T08:00:00.000Z' }] })),
      ),
  },
  {
    what: 'a repeated key answered with other bytes',
    breaks: ['I7'],
    lines: (lines) =>
      lines.map((line, index) => (index === lastPlacement(lines) ? { ...line, bodyHash: 'other' } : line)),
  },
  {
    what: 'a repeated key that made another order',
    breaks: ['I7'],
    lines: (lines) =>
      lines.map((line) => (line.status === 201 ? { ...line, key: 'one key for all', requestHash: 'same' } : line)),
  },
  {
    what: 'a read that does not see the write before it',
    breaks: ['I11'],
    lines: (lines) =>
      lines.map((line) =>
        line.method === 'GET' && isObject(line.body) ? { ...line, body: { ...line.body, version: 1 } } : line,
      ),
  },
  {
    what: 'a read that does not find what was written',
    breaks: ['I11'],
    lines: (lines) => lines.map((line) => (line.method === 'GET' ? { ...line, status: 404, body: {} } : line)),
  },
  {
    what: "an order shown to another tenant's client",
    breaks: ['I12'],
    lines: (lines) => lines.map((line) => (line.method === 'GET' ? { ...line, tenant: 'other' } : line)),
  },
  {
    what: 'an effect that was done twice',
    names: '1',
    breaks: ['I14'],
    counts: (counts) => new Map([...counts, ['1', 5]]),
  },
];

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function withOrder(line: ClientLogLine, change: (order: object) => object): ClientLogLine {
  const isOrder = line.path.startsWith('/api/orders') && line.status < 300 && isObject(line.body);
  return isOrder && isObject(line.body) ? { ...line, body: change(line.body) } : line;
}

const lastPlacement = (lines: readonly ClientLogLine[]) => lines.findLastIndex(({ status }) => status === 201);
