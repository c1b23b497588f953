import { z } from 'zod';
import type { Contract } from '../../services/_chassis/contract.ts';

/** What one service may do towards another: call it, or send it events. */
export interface Link {
  readonly from: string;
  readonly to: string;
  readonly kind: 'http' | 'grpc' | 'events';
}

/** What came of a link when it was used, or, as `refused`, of one that no contract allows. */
export const outcome = z.object({
  from: z.string(),
  to: z.string(),
  kind: z.enum(['http', 'grpc', 'events', 'refused']),
  ok: z.boolean(),
  /** Of events: that none was said anew, and all that were ever said are there. */
  quiet: z.boolean().default(false),
  detail: z.string(),
});
export type Outcome = z.output<typeof outcome>;

/** How a service is called. */
export const protocolOf = ({ proto }: Contract): 'http' | 'grpc' => (proto ? 'grpc' : 'http');

/** Who of all may call a service. */
export const callersOf = ({ methods }: Contract): string[] => [
  ...new Set(Object.values(methods).flatMap(({ callers }) => callers)),
];

/**
 * All that the contracts allow between the apps there are, and nothing else: calls from each caller, events from each producer
 * to its consumers.
 */
export const allowedLinks = (contracts: readonly Contract[], apps: readonly string[]): Link[] =>
  contracts
    .flatMap((contract): Link[] => [
      ...callersOf(contract).map((from) => ({ from, to: contract.service, kind: protocolOf(contract) })),
      ...Object.keys(contract.consumes ?? {}).map((from) => ({ from, to: contract.service, kind: 'events' as const })),
    ])
    .filter(({ from, to }) => from !== to && apps.includes(from));

/** A call by which a link is tried: one that reads, and needs no more than the contract to be asked. */
export function probeOf(contract: Contract, caller: string): { method: string; request: unknown } | undefined {
  const allowed = Object.entries(contract.methods).filter(
    ([, { callers, reads, streams }]) => reads && !streams && callers.includes(caller),
  );
  const [topic = ''] = Object.values(contract.events).map((event) => event.topic);
  for (const request of [{}, { topic, after: '0:0', limit: 1 }]) {
    const found = allowed.find(([, method]) => method.request.safeParse(request).success);
    if (found) return { method: found[0], request };
  }
  return undefined;
}

/** What there is no outcome of has failed as well. */
export function missing(links: readonly Link[], outcomes: readonly Outcome[]): Link[] {
  const has = (link: Link) =>
    outcomes.some(({ from, to, kind }) => from === link.from && to === link.to && kind === link.kind);
  return links.filter((link) => !has(link));
}

/**
 * Rows of the matrix, a caller or sender each, with a column for each service: `http`, `grpc`, `events` (in brackets where
 * none was said anew) worked, `no!` failed, `-` is not allowed.
 */
export function matrixRows(links: readonly Link[], outcomes: readonly Outcome[]): string[][] {
  const tos = [...new Set(links.map(({ to }) => to))].sort();
  const froms = [...new Set(links.map(({ from }) => from))].sort();
  const cell = (from: string, to: string): string => {
    if (from === to) return '';
    const words = links
      .filter((link) => link.from === from && link.to === to)
      .map(({ kind }) => {
        const found = outcomes.find((one) => one.from === from && one.to === to && one.kind === kind);
        if (!found?.ok) return `${kind} no!`;
        return found.quiet ? `(${kind})` : kind;
      });
    const refusal = outcomes.find((one) => one.from === from && one.to === to && one.kind === 'refused');
    if (words.length > 0) return words.join(' ');
    return refusal?.ok === false ? 'no!' : '-';
  };
  return [['from \\ to', ...tos], ...froms.map((from) => [from, ...tos.map((to) => cell(from, to))])];
}
