import { request, type IncomingHttpHeaders } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const move = z.object({
  orderId: z.string(),
  status: z.string(),
  version: z.number(),
  at: z.string(),
  reason: z.string().optional(),
});

/** A server-sent event as it came. */
export interface SeenEvent {
  readonly id: string;
  readonly event: string;
  readonly data: z.infer<typeof move>;
}

/** One request for an event stream. */
export interface EventStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Whatever has come so far. */
  readonly events: readonly SeenEvent[];
  readonly text: () => string;
  /** `clean` when the body was properly ended, `broken` when the connection just went. */
  readonly ended: Promise<'clean' | 'broken'>;
  /** Reads no more, or goes on. */
  pause(): void;
  resume(): void;
  leave(): void;
}

export interface StreamRequest {
  readonly token?: string | undefined;
  readonly lastEventId?: string | undefined;
  readonly method?: string;
  /** The authority that an https URL's certificate has to be of. */
  readonly ca?: string;
}

/** Opens an event stream on a connection of its own; resolves with the head of the answer. */
export function openEventStream(url: string, options: StreamRequest = {}): Promise<EventStream> {
  const { token, lastEventId, method = 'GET', ca } = options;
  const headers = {
    accept: 'text/event-stream',
    ...(token !== undefined && { authorization: token }),
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  return new Promise((resolve, reject) => {
    const outgoing =
      ca === undefined
        ? request(url, { method, headers, agent: false })
        : requestSecurely(url, { method, headers, agent: false, ca });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const events: SeenEvent[] = [];
      let text = '';
      let read = 0;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n\n', read); end >= 0; end = text.indexOf('\n\n', read)) {
          const event = parseBlock(text.slice(read, end));
          if (event) events.push(event);
          read = end + 2;
        }
      });
      response.on('error', () => undefined); // `ended` tells
      const ended = new Promise<'clean' | 'broken'>((done) => {
        response.on('close', () => done(response.complete ? 'clean' : 'broken'));
      });
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        events,
        text: () => text,
        ended,
        pause: () => void response.pause(),
        resume: () => void response.resume(),
        leave: () => void outgoing.destroy(),
      });
    });
    outgoing.end();
  });
}

/** A block of lines up to a blank one: an event when it has data, else only a comment or the time to wait. */
function parseBlock(block: string): SeenEvent | undefined {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const data = fields.get('data');
  if (data === undefined) return undefined;
  return { id: fields.get('id') ?? '', event: fields.get('event') ?? '', data: move.parse(JSON.parse(data)) };
}

/** What a client has seen of an order when it is told that there is no more. */
export interface Followed {
  readonly events: SeenEvent[];
  /** How each of its streams ended. */
  readonly ends: ('clean' | 'broken' | 'refused')[];
}

/**
 * Follows as a browser's EventSource does: comes back behind the last event it has, whatever ended the stream, until it is
 * answered 204. Unlike that it takes no 503 as final. `urls` are asked in turn.
 */
export async function followToTheEnd(urls: readonly string[], options: StreamRequest = {}): Promise<Followed> {
  const followed: Followed = { events: [], ends: [] };
  const limit = Date.now() + 280_000;
  for (let tries = 0; Date.now() < limit; tries++) {
    const lastEventId = followed.events.at(-1)?.id ?? options.lastEventId;
    const stream = await openEventStream(urls[tries % urls.length] ?? '', { ...options, lastEventId }).catch(
      () => undefined,
    );
    if (stream?.status === 204) return followed;
    if (stream && stream.status < 500 && stream.status !== 200) throw new Error(`${stream.status} ${stream.text()}`);
    followed.ends.push(stream?.status === 200 ? await stream.ended : 'refused');
    if (stream?.status === 200) followed.events.push(...stream.events);
    else stream?.leave();
    await delay(50);
  }
  throw new Error(`the order has not ended in two minutes: ${JSON.stringify(followed)}`);
}
