import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from './log.ts';
import { startWorker } from './worker.ts';

const log = createLog('things', 'silent');
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A worker that pauses a second, and how often it ran. */
function start(run: (n: number) => Promise<boolean>) {
  let runs = 0;
  const worker = startWorker({ name: 'w', idleMs: 1_000, log, run: () => run(++runs) });
  return { worker, runs: () => runs };
}

describe('a worker', () => {
  it('when it finds work, it looks again at once; when it finds none, after its pause', async () => {
    const { worker, runs } = start(async (n) => n < 3);
    await vi.advanceTimersByTimeAsync(999);
    expect(runs()).toBe(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs()).toBe(4);
    await worker.stop();
  });

  it('when a run throws, it goes on after its pause', async () => {
    const { worker, runs } = start(async (n) => {
      if (n === 1) throw new Error('no');
      return false;
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(runs()).toBe(2);
    await worker.stop();
  });

  it('when it is woken, it looks at once; when for later, then', async () => {
    const { worker, runs } = start(async () => false);
    await vi.advanceTimersByTimeAsync(0);
    worker.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(runs()).toBe(2);
    worker.wake(300);
    await vi.advanceTimersByTimeAsync(299);
    expect(runs()).toBe(2);
    await vi.advanceTimersByTimeAsync(2);
    expect(runs()).toBe(3);
    await worker.stop();
  });

  it('when it is woken while a run is under way, there is one more run without a pause', async () => {
    const gate = Promise.withResolvers<boolean>();
    const { worker, runs } = start((n) => (n === 1 ? gate.promise : Promise.resolve(false)));
    worker.wake();
    worker.wake();
    gate.resolve(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(runs()).toBe(2);
    await worker.stop();
  });

  it('when it is stopped, the run under way ends first and no other begins', async () => {
    const gate = Promise.withResolvers<boolean>();
    const { worker, runs } = start(() => gate.promise);
    let stopped = false;
    const stopping = worker.stop().then(() => (stopped = true));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stopped).toBe(false);
    gate.resolve(true);
    await stopping;
    worker.wake();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(runs()).toBe(1);
  });
});
