import { rm } from 'node:fs/promises';
import { homeAt, makeTemporaryHome } from '../mesh/home.ts';
import { createPostgres } from '../mesh/postgres.ts';
import { dropCluster } from '../mesh/postgres-cluster.ts';
import { waitUntilReady } from '../mesh/wait.ts';

const port = 15433;

/** A PostgreSQL of its own for the service tests, in a temporary folder; quick because nothing in it must survive. */
export async function startTestPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  const root = await makeTemporaryHome();
  const home = homeAt(root);
  const settings = {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '300',
    deadlock_timeout: '100ms',
  };
  const postgres = await createPostgres({ home, port, password: 'test', settings, onEvent: () => undefined });
  const { group } = postgres;
  const stop = async () => {
    await group.stop();
    await dropCluster(home);
    await rm(root, { recursive: true, force: true });
  };
  group.start();
  try {
    await waitUntilReady([group], { timeoutMs: 30_000 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: postgres.url(), stop };
}
