import type { OutgoingHttpHeaders } from 'node:http';
import type { Response } from 'express';
import type { Reply } from './route.ts';
import { securityHeaders } from './security-headers.ts';

/**
 * The header fields that a response will carry, whatever it says. They are written all at once: set one by one, Node keeps,
 * checks and copies each, which took a tenth of a request.
 */
export const fieldsOf = ({ locals }: Response): Record<string, string> =>
  (locals['fields'] ??= { ...securityHeaders }) as Record<string, string>;

/** Writes an answer whole; `closing` ends the connection with it. */
export function write(
  response: Response,
  status: number,
  headers: NonNullable<Reply['headers']>,
  content: string | Uint8Array | undefined,
  closing: boolean,
): void {
  const isEmpty = status === 204 || status === 304;
  response.writeHead(status, {
    ...fieldsOf(response),
    ...(isEmpty ? undefined : { 'content-length': String(content === undefined ? 0 : Buffer.byteLength(content)) }),
    ...(closing ? { connection: 'close' } : undefined),
    ...(headers as OutgoingHttpHeaders),
  });
  response.end(content);
}
