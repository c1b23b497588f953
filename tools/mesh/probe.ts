import type { Ports } from './run-file.ts';

const probeTimeoutMs = 1_500;

/** The HTTP status that a loopback port answers with. */
export async function statusOf(port: number, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(probeTimeoutMs) });
  await response.body?.cancel();
  return response.status;
}

/** Whether an app says that it is ready, and its sidecar that it can call out. */
export async function isPairReady(ports: Ports): Promise<boolean> {
  const [app, sidecar] = await Promise.all([
    statusOf(ports.ops, '/healthz/ready'),
    // Not /v1.0/healthz: that one waits for parts that this mesh does not have.
    statusOf(ports.http, '/v1.0/healthz/outbound'),
  ]);
  return app === 200 && sidecar === 204;
}

/** How many Resiliency documents a sidecar has loaded; a wrong one is a line in its log and no policy at all. */
export async function loadedResiliencies(ports: Ports): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${ports.metrics}/metrics`, {
    // It is asked once, of all at the same time, just after everything has started.
    signal: AbortSignal.timeout(15_000),
  });
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('dapr_resiliency_loaded{'));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
