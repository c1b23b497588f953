// The process that holds a mesh between `make up` and `make down`. It reports to whoever started it until all is ready.
import { rmSync } from 'node:fs';
import { z } from 'zod';
import { startControl } from './control.ts';
import { homeAt } from './home.ts';
import { startMesh } from './mesh.ts';
import { tellStarter } from './starter.ts';
import { UserError } from './user-error.ts';

/** What a supervisor is told by its command line, as JSON. */
export const supervisorOptions = z.object({
  home: z.string(),
  replicas: z.record(z.string(), z.number()),
  services: z.array(z.string()).optional(),
});

async function main(): Promise<void> {
  const options = supervisorOptions.parse(JSON.parse(process.argv[2] ?? ''));
  const home = homeAt(options.home);
  process.chdir(home.root);
  const log = (text: string) => process.stdout.write(`${new Date().toISOString()} ${text}\n`);
  const given = new AbortController();
  // Whoever started this is gone before it was ready, or wants no more of it.
  process.on('disconnect', () => given.abort());
  process.on('SIGTERM', () => given.abort());
  process.on('SIGINT', () => given.abort());
  process.on('SIGHUP', () => undefined);

  const listeners = new Set<(line: string) => void>();
  const hear = (text: string) => {
    log(text);
    for (const listener of listeners) listener(text);
  };
  try {
    const mesh = await startMesh({
      ...options,
      services: options.services,
      signal: given.signal,
      onProgress: (progress) => {
        if (progress.kind === 'event') hear(progress.text);
        void tellStarter({ kind: 'progress', progress });
      },
    });
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> =>
      (stopping ??= mesh.stop().catch((error: unknown) => {
        hear(`failed: ${error instanceof Error ? error.message : '?'}`);
        process.exitCode = 1;
      }));
    const leave = () => {
      rmSync(home.socket, { force: true });
      process.exit();
    };
    const stopFor = async (asker: (line: string) => void): Promise<void> => {
      listeners.add(asker);
      await stop();
    };
    await startControl(home, mesh, stopFor, leave);
    process.removeAllListeners('disconnect');
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop().then(leave));
    log('ready');
    void tellStarter({ kind: 'ready' });
    if (given.signal.aborted) await stop().then(leave);
  } catch (error) {
    const message =
      error instanceof UserError ? error.message : error instanceof Error ? (error.stack ?? error.message) : '?';
    log(message);
    await tellStarter({ kind: 'failed', message });
    process.exit(1);
  }
}

if (import.meta.main) await main();
