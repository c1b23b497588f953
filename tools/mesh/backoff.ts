/** How long to wait before a restart, in milliseconds. */
export const backoff = { firstMs: 250, maxMs: 10_000, resetAfterReadyMs: 1_000 };

/** The wait after a death: doubled from the one before, or the first again when it had been ready for long enough. */
export function nextDelay(previousMs: number, readyForMs: number): number {
  if (previousMs === 0 || readyForMs >= backoff.resetAfterReadyMs) return backoff.firstMs;
  return Math.min(previousMs * 2, backoff.maxMs);
}
