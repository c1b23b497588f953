import type { Progress } from './progress.ts';

/** What a supervisor tells the process that started it. */
export type SupervisorMessage =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string };

/**
 * Tells whoever started this process something, if he is still there; resolves once he has it or is seen to be gone. He may
 * have closed his end before we have read that, and an error of `send` that nobody takes would end this process.
 */
export const tellStarter = (message: SupervisorMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
    else resolve();
  });
