import { withoutContext } from './context.ts';

/** Streams that end when their sidecar is about to. */
export interface SidecarStreams {
  /** Has `end` called when the sidecar goes; gives what takes it out again. */
  add(end: () => void): () => void;
}

const lookEveryMs = 1_000;

/**
 * A sidecar that is told to stop waits for every open stream until it is killed, and tells nobody. So it is asked once a
 * second, as long as there are streams, and they are ended for it; what follows them goes on elsewhere.
 */
export function createSidecarStreams(isGoing: () => Promise<boolean>): SidecarStreams {
  const open = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    if (await isGoing()) for (const end of [...open]) end();
  }

  return {
    add(end) {
      open.add(end);
      timer ??= withoutContext(() => setInterval(() => void look(), lookEveryMs).unref());
      return () => {
        open.delete(end);
        if (open.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}
