import { rm } from 'node:fs/promises';
import { homeAt } from './home.ts';
import { clusterLocation, dropCluster } from './postgres-cluster.ts';

/** Drops what a stopped mesh has stored: its databases and Redis. Secrets and logs stay. Gives the folders that are gone. */
export async function dropData(root: string): Promise<string[]> {
  const home = homeAt(root);
  const cluster = await clusterLocation(home);
  await dropCluster(home);
  const files = [
    home.redis,
    home.redisConfig,
    home.resolverFile,
    `${home.resolverFile}-wal`,
    `${home.resolverFile}-shm`,
  ];
  await Promise.all(files.map((file) => rm(file, { recursive: true, force: true })));
  return [cluster, home.redis];
}
