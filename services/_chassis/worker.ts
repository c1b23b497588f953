import type { Log } from './log.ts';

export interface Worker {
  /** Looks again at once, or after so many milliseconds, instead of after the pause. */
  wake(inMs?: number): void;
  /** Lets the run that is under way finish and starts no other. */
  stop(): Promise<void>;
}

/**
 * Runs `run` again and again: at once while it reports that it found work, otherwise after `idleMs` or when woken. A run
 * that throws is logged and counts as idle.
 */
export function startWorker(options: { name: string; idleMs: number; log: Log; run: () => Promise<boolean> }): Worker {
  let stopped = false;
  let woken = false;
  let wake = () => {
    woken = true;
  };

  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, options.idleMs);
      wake = () => {
        woken = true;
        clearTimeout(timer);
        resolve();
      };
    });

  async function loop(): Promise<void> {
    while (!stopped) {
      woken = false;
      const busy = await options.run().catch((error: unknown) => {
        options.log.warn({ worker: options.name, err: error }, 'worker run failed');
        return false;
      });
      if (!busy && !woken && !stopped) await pause();
    }
  }

  const running = loop();
  return {
    wake(inMs = 0) {
      if (inMs <= 0) wake();
      else setTimeout(() => wake(), inMs + 1).unref(); // a timer may fire a millisecond early, and would find nothing due
    },
    async stop() {
      stopped = true;
      wake();
      await running;
    },
  };
}
