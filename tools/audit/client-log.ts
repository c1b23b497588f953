import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/**
 * One answer that a client got, as one line of JSON. `sentAt` and `at` are epoch milliseconds of one clock, of sending
 * and of having the whole answer: only a read sent after a write was answered must see it.
 */
export const clientLogLine = z.object({
  sentAt: z.number(),
  at: z.number(),
  /** The token's subject; `anonymous` without one. */
  client: z.string(),
  tenant: z.string(),
  method: z.string(),
  /** With its query. */
  path: z.string(),
  /** The idempotency key, and a hash of the request's body. */
  key: z.string().optional(),
  requestHash: z.string().optional(),
  status: z.number().int(),
  /** Parsed; the text itself where it is not JSON. */
  body: z.unknown(),
  /** Of the answer's bytes. */
  bodyHash: z.string(),
});
export type ClientLogLine = z.infer<typeof clientLogLine>;

/** Takes what clients were told. */
export interface ClientLog {
  write(line: ClientLogLine): void;
}

/** A client log in a file, one line an answer. */
export interface ClientLogFile extends ClientLog {
  /** Resolves when all that was noted so far can be read. */
  written(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a client log, at its end where there is one already. */
export function openClientLog(file: string): ClientLogFile {
  const stream = createWriteStream(file, { flags: 'a' });
  return {
    write: (line) => void stream.write(`${JSON.stringify(line)}\n`),
    written: () =>
      new Promise((resolve, reject) => void stream.write('', (error) => (error ? reject(error) : resolve()))),
    async close() {
      stream.end();
      await once(stream, 'close');
    },
  };
}

/** Reads a client log; a line cut off at the end (its writer was killed) is passed over, any other bad line throws. */
export async function* readClientLog(file: string): AsyncGenerator<ClientLogLine> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  let unreadable: Error | undefined;
  for await (const text of lines) {
    number += 1;
    if (unreadable) throw unreadable;
    if (text === '') continue;
    const line = parseLine(text);
    if (line) yield line;
    else unreadable = new Error(`${file}:${number} is not a line of a client log`);
  }
}

function parseLine(text: string): ClientLogLine | undefined {
  try {
    return clientLogLine.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What a client asks. */
export interface ClientRequest {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface ClientAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

const claims = z.object({ sub: z.string(), tenant: z.string() });
const hash = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('base64');
const now = () => performance.timeOrigin + performance.now();

/**
 * A client that notes every answer it gets. Who it is comes from the token that it has for a request, unchecked. A request that gets no answer
 * throws as `fetch` does, and is not noted: nothing was promised.
 */
export function recordingClient(options: { baseUrl: string; token?: () => Promise<string>; log: ClientLog }) {
  const { baseUrl, log } = options;

  return async (request: ClientRequest): Promise<ClientAnswer> => {
    const { path, key, timeoutMs = 30_000 } = request;
    const token = await options.token?.();
    const { sub: client, tenant } = token === undefined ? { sub: 'anonymous', tenant: 'main' } : claimsOf(token);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const method = request.method ?? (body === undefined ? 'GET' : 'POST');
    const sentAt = now();
    const response = await fetch(new URL(path, baseUrl), {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...request.headers,
      },
      body: body ?? null,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    const { status, headers } = response;
    const answer = { status, headers, text, body: parsed(text) };
    log.write({
      sentAt,
      at: now(),
      client,
      tenant,
      method,
      path,
      ...(key !== undefined && { key, requestHash: hash(body ?? '') }),
      status,
      body: answer.body,
      bodyHash: hash(bytes),
    });
    return answer;
  };
}

function claimsOf(token: string): z.infer<typeof claims> {
  const payload = token.split('.')[1] ?? '';
  return claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
