import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { request as requestSecurely, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { catalog, type ProblemCode } from '../../services/gateway/problems.ts';
import { securityHeaders } from '../../services/gateway/security-headers.ts';
import type { TestEdge } from './test-edge.ts';

const echo = z.object({ url: z.string(), rawHeaders: z.array(z.string()), seen: z.array(z.string()) });
/** Patience with what takes a moment, on a machine that may be busy. */
export const generous = { timeout: 20_000 };

/** Begins a request on a connection of its own. */
export async function begin(port: number, path: string, more: RequestOptions & { body?: string } = {}) {
  const { body, ...options } = more;
  const send = options.ca ? requestSecurely : request;
  const outgoing = send({ host: '127.0.0.1', port, path, agent: false, ...options }).end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return response;
}

/** A request and its whole answer. */
export async function ask(port: number, path: string, more: RequestOptions & { body?: string } = {}) {
  const response = await begin(port, path, more);
  const { statusCode: status, headers } = response;
  return { status, headers, body: await text(response) };
}
export type Answer = Awaited<ReturnType<typeof ask>>;

/** What a gateway says that it was asked, now and before. */
export const echoOf = ({ body }: Answer) => echo.parse(JSON.parse(body));
/** The header fields that a gateway was sent, by name in lower case. */
export const sentOf = (answer: Answer) => {
  const { rawHeaders } = echoOf(answer);
  const pairs = rawHeaders.flatMap((name, at) => (at % 2 ? [] : [[name.toLowerCase(), rawHeaders[at + 1] ?? '']]));
  return z.record(z.string(), z.string()).parse(Object.fromEntries(pairs));
};

/** That an answer is the problem of this code, as the gateway itself would have put it. */
export function expectProblem({ status, headers, body }: Answer, code: ProblemCode): void {
  const [expected, title] = catalog[code];
  expect(JSON.parse(body)).toMatchObject({ type: `urn:sidecart:problem:${code}`, title, status: expected, code });
  expect(JSON.parse(body)).toHaveProperty('traceId', expect.stringMatching(/^[0-9a-f]{32}$/));
  expect(status).toBe(expected);
  expect(headers).toMatchObject({ ...securityHeaders, 'content-type': 'application/problem+json' });
  expect(headers['x-request-id']).toMatch(/^[\w.:-]{1,64}$/);
  expect(headers['retry-after']).toBe(expected === 429 || expected === 503 ? '1' : undefined);
}

/** Waits until all of these gateways answer, each in its turn, and no other. */
export async function untilInTurn(edge: TestEdge, gateways: readonly { name: string }[]): Promise<void> {
  const names = gateways.map(({ name }) => name).sort();
  const inTurn = async () => {
    const served: unknown[] = [];
    for (let n = 0; n < 3 * names.length; n++) served.push((await ask(edge.port, '/')).headers['x-served-by']);
    expect(served.sort()).toEqual(names.flatMap((name) => [name, name, name]));
  };
  await vi.waitFor(inTurn, generous);
}
