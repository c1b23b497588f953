import type { Log } from './log.ts';

/** Runs the stop steps in the order they were added, once, and ends the process. */
export interface Lifecycle {
  readonly stopping: boolean;
  onStop(name: string, step: () => Promise<unknown> | void): void;
}

/** How long a process may take to stop, in milliseconds; then it is ended. */
export const stopLimitMs = 10_000;

/**
 * Ends the process cleanly on SIGTERM and SIGINT, within 10 s whatever hangs; a promise that nobody awaited and failed,
 * or an exception that nobody caught, is a defect and ends it at once, so that its pair is started anew.
 */
export function createLifecycle(log: Log): Lifecycle {
  const steps: { name: string; step: () => Promise<unknown> | void }[] = [];
  let stopping = false;

  async function stop(signal: string): Promise<void> {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.error('stopping took too long');
      process.exit(1);
    }, stopLimitMs).unref();
    for (const { name, step } of steps) {
      try {
        await step();
      } catch (error) {
        log.warn({ step: name, err: error }, 'stop step failed');
      }
    }
    log.info('stopped');
    process.exit(0);
  }

  const crash = (error: unknown) => {
    log.fatal({ err: error }, 'unexpected failure');
    process.exit(1);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  return {
    get stopping() {
      return stopping;
    },
    onStop: (name, step) => void steps.push({ name, step }),
  };
}
