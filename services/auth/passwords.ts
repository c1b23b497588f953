import { Worker } from 'node:worker_threads';
import { z } from 'zod';

/** Too many passwords wait to be hashed; come back later. */
export class PasswordsBusy extends Error {
  override readonly name = 'PasswordsBusy';
}

/** Hashes and checks passwords beside the event loop, one after another; rejects with PasswordsBusy when the queue is full. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** The same work with and without a hash. */
  verify(password: string, hash: string | null): Promise<boolean>;
}

const answer = z.object({ id: z.number(), result: z.union([z.string(), z.boolean()]) });

/** Passwords over one worker thread, with so many waiting at most. */
export function createPasswords(queueLimit: number): Passwords {
  const waiting = new Map<number, PromiseWithResolvers<string | boolean>>();
  let worker: Worker | undefined;
  let last = 0;

  function start(): Worker {
    const started = new Worker(new URL('./password-worker.ts', import.meta.url));
    const fail = (error: unknown) => {
      worker = undefined;
      for (const task of waiting.values()) task.reject(error);
      waiting.clear();
    };
    started.on('error', fail);
    started.on('message', (message: unknown) => {
      const { id, result } = answer.parse(message);
      waiting.get(id)?.resolve(result);
      waiting.delete(id);
    });
    started.unref(); // whoever waits for a password holds a connection; the thread alone is no reason to go on
    return started;
  }

  async function ask(password: string, hash?: string | null): Promise<string | boolean> {
    if (waiting.size >= queueLimit) throw new PasswordsBusy('the queue of passwords is full');
    worker ??= start();
    const task = Promise.withResolvers<string | boolean>();
    const id = ++last;
    waiting.set(id, task);
    worker.postMessage({ id, password, hash });
    return task.promise;
  }

  return {
    hash: async (password) => z.string().parse(await ask(password)),
    verify: async (password, hash) => z.boolean().parse(await ask(password, hash)),
  };
}
