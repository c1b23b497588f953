import { once } from 'node:events';
import type { Response } from 'express';
import { fieldsOf } from './answer.ts';
import { problems } from './problems.ts';
import type { ServerEvent } from './route.ts';

/** Bounds of event streams; times in milliseconds, numbers for one gateway. */
export interface StreamSettings {
  /** How often a client hears something when nothing happens; one that is behind for two of these is let go. */
  readonly heartbeatMs: number;
  /** A token is checked when a stream begins: this is how long it may outlive that. Clients come back by themselves. */
  readonly lifeMs: number;
  /** How long the service behind a stream may be away before the stream is ended. */
  readonly resumeWithinMs: number;
  readonly mostStreams: number;
  readonly mostOfOne: number;
}

export const streamDefaults: StreamSettings = {
  heartbeatMs: 15_000,
  lifeMs: 600_000,
  resumeWithinMs: 10_000,
  mostStreams: 1_000,
  mostOfOne: 20,
};

const reconnectMs = 1_000;
const lastBytesMs = 5_000;

/** The id of the last event that a client has, from `Last-Event-ID`; 0 for none. */
export function readEventId(value: string | undefined): number {
  if (value === undefined) return 0;
  if (!/^(0|[1-9]\d{0,8})$/.test(value)) throw problems.badEventId();
  return Number(value);
}

/**
 * An answer that may become a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 * `signal` is aborted when the client leaves, the stream has lived long enough or the gateway ends; the body then ends
 * properly, and the client opens another behind the last event it has.
 */
export function openStream(response: Response, ending: AbortSignal, settings: StreamSettings = streamDefaults) {
  const over = new AbortController();
  const end = () => over.abort();
  const life = setTimeout(end, settings.lifeMs);
  ending.addEventListener('abort', end);
  if (ending.aborted) end();
  response.on('close', () => {
    clearTimeout(life);
    ending.removeEventListener('abort', end);
    end();
  });

  /** Sends events until there are no more, never faster than the client reads. */
  async function send(events: AsyncIterable<ServerEvent>): Promise<void> {
    response.writeHead(200, {
      ...fieldsOf(response),
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no', // nginx would keep events back
    });
    if (response.req.method === 'HEAD') return void response.end();
    response.write(`retry: ${reconnectMs}\n\n`);
    let behind = 0;
    const heart = setInterval(() => {
      behind = response.writableNeedDrain ? behind + 1 : 0;
      if (behind >= 2) response.destroy();
      else if (behind === 0) response.write(':\n\n');
    }, settings.heartbeatMs);
    try {
      for await (const { id, event, data } of events) {
        const text = `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
        if (!response.write(text)) await once(response, 'drain', { signal: over.signal }).catch(() => undefined);
      }
    } finally {
      clearInterval(heart);
    }
    response.end();
    setTimeout(() => response.destroy(), lastBytesMs).unref(); // a client that reads no more must not hold up a stop
  }

  return { signal: over.signal, send };
}
