import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { readBody } from '../_chassis/body.ts';
import { httpRequest, type Exchanged, type HttpRequest } from '../auth/contract.ts';
import { hasBody, usualBodyLimit } from './body.ts';
import { addressOf } from './limit-caller.ts';
import { problems } from './problems.ts';
import type { Reply } from './route.ts';

/** What auth is told of a request's headers, and what of its answer's a client gets; the rest is between others. */
const heard = ['authorization', 'content-type', 'cookie', 'origin', 'sec-fetch-site', 'user-agent'];
const told = new Set([
  ...['cache-control', 'content-security-policy', 'content-type', 'location', 'pragma', 'referrer-policy'],
  ...['retry-after', 'set-cookie', 'vary', 'www-authenticate', 'x-content-type-options', 'x-frame-options'],
]);

/** A request as auth is given it: its form, bounded, and the address that it comes from. */
export async function readExchange(request: IncomingMessage, proxies: BlockList): Promise<HttpRequest> {
  const { method = '', url = '', headers } = request;
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  const withBody = method === 'POST' && hasBody(request);
  if (withBody && type !== 'application/x-www-form-urlencoded')
    throw problems.unsupportedMediaType('Send Content-Type: application/x-www-form-urlencoded.');
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw problems.unsupportedMediaType('Send it without Content-Encoding.');
  const tooLarge = Number(headers['content-length'] ?? 0) > usualBodyLimit;
  const body = withBody && !tooLarge ? await readBody(request, usualBodyLimit) : Buffer.alloc(0);
  if (tooLarge || !body) throw problems.contentTooLarge(`${usualBodyLimit / 1_024} KiB`);
  const exchange = httpRequest.safeParse({
    method,
    target: url,
    headers: Object.fromEntries(heard.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]))),
    body: body.toString('base64'),
    address: addressOf(request, proxies) || 'unknown',
  });
  if (!exchange.success)
    throw problems.badRequest('The request target or a header is nothing that is understood here.');
  return exchange.data;
}

/** What auth answered, as the client gets it. */
export function replyOf(answer: Exchanged): Reply {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of answer.headers) if (told.has(name)) headers[name] = [...(headers[name] ?? []), value];
  const bytes = Buffer.from(answer.body, 'base64');
  return { status: answer.status, headers, ...(bytes.length > 0 && { bytes }) };
}
