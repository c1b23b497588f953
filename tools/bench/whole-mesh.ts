import { rm } from 'node:fs/promises';
import { makeTemporaryHome } from '../mesh/home.ts';
import { startMesh, type Mesh } from '../mesh/mesh.ts';
import { raisedLimits } from '../mesh/raised-limits.ts';

/** Does something with the whole shop's mesh, limits raised, in a temporary home that is gone afterwards. */
export async function withWholeMesh<T>(work: (mesh: Mesh) => Promise<T>): Promise<T> {
  const home = await makeTemporaryHome();
  const mesh = await startMesh({ home, env: raisedLimits });
  try {
    return await work(mesh);
  } finally {
    await mesh.stop();
    await rm(home, { recursive: true, force: true });
  }
}

/** What a service's sidecar is called in a record. */
export const sidecarOf = (service: string) => `${service}'s sidecar`;

/** A value of every app and sidecar, and of every server with its children, by name. */
export function byProcess(
  mesh: Mesh,
  valueOf: { readonly process: (pid: number) => number; readonly tree: (pid: number) => number },
): Record<string, number> {
  const pairs = mesh
    .pairs()
    .flatMap(({ service, appPid, sidecarPid }) => [
      [service, valueOf.process(appPid ?? 0)] as const,
      [sidecarOf(service), valueOf.process(sidecarPid ?? 0)] as const,
    ]);
  const servers = mesh.servers().map(({ name, pid }) => [name, valueOf.tree(pid ?? 0)] as const);
  return Object.fromEntries([...pairs, ...servers]);
}
