import { createServer } from 'node:http';
import { listenOn } from '../../../services/_chassis/listen.ts';

/** What a closed loop has done so far. */
export interface Progress {
  readonly done: number;
  readonly failed: number;
  /** Why the first one failed. */
  readonly failure: string;
}

/**
 * Answers on a loopback port: `POST /start` has `width` loops make one call after another until `POST /stop`, which
 * answers when the last call has ended; `GET /progress` tells how many were made since the start of the process.
 */
export async function serveClosedLoop(port: number, width: number, call: () => Promise<void>): Promise<void> {
  let running = false;
  let loops: Promise<void>[] = [];
  const progress = { done: 0, failed: 0, failure: '' };

  async function loop(): Promise<void> {
    while (running) {
      try {
        await call();
        progress.done += 1;
      } catch (error) {
        progress.failed += 1;
        progress.failure ||= String(error);
      }
    }
  }

  async function obey(order: string | undefined): Promise<string> {
    if (order === '/start') {
      running = true;
      loops = Array.from({ length: width }, loop);
    } else if (order === '/stop') {
      running = false;
      await Promise.all(loops);
    }
    return JSON.stringify(progress);
  }

  await listenOn(
    createServer((request, response) => void obey(request.url).then((text) => response.end(text))),
    port,
  );
}
