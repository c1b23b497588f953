import type { MeshStatus } from './control.ts';
import { styled, table } from './terminal.ts';

const heading = (text: string) => styled('bold', text);

/** What runs, as a table. */
export function describeMesh(status: MeshStatus, readiness?: Readonly<Record<string, boolean>>): string {
  const ready = (name: string) => (readiness ? [readiness[name] === true ? 'ready' : 'not ready'] : []);
  const extra = readiness ? ['state'] : [];
  const rows = [
    ['service', 'port', 'pid', 'sidecar', 'pid', 'restarts', ...extra],
    ...status.pairs.map(({ name, ports, appPid, sidecarPid, restarts, lent }) => [
      name,
      String(ports.app),
      String(appPid ?? '-'),
      `${ports.http} ${ports.grpc}`,
      String(sidecarPid ?? '-'),
      String(restarts),
      ...(lent && readiness ? ['lent'] : ready(name)),
    ]),
    ...status.servers.map(({ name, port, pid, restarts }) => [
      name,
      String(port),
      String(pid ?? '-'),
      '',
      '',
      String(restarts),
      ...(readiness ? [pid === undefined ? 'not running' : 'running'] : []),
    ]),
  ];
  return table(rows);
}

/** How to go on, once the mesh runs. */
export function describeNextSteps(status: MeshStatus): string {
  const url = status.gatewayUrl;
  return [
    heading('Try next'),
    `  ${url}/shop          the shop in a browser; \`make people\` says who can sign in`,
    '  TOKEN=$(make -s token user=ada)',
    `  curl -s ${url}/api/orders -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(date +%s%N)" \\`,
    `    -H 'Content-Type: application/json' -d '{"items":[{"productId":"1","quantity":2}],"paymentToken":"tok_ok"}'`,
    '  make audit                  proves that nothing was lost',
    '  make logs service=orders    what orders and its sidecar say',
    '  make db service=orders      an SQL prompt',
    '',
    `${heading('Stop')}    make down (the data stays), make reset (the data goes)`,
  ].join('\n');
}

/** The closing words of `make up`. */
export function describeRunning(status: MeshStatus): string {
  const title = `${heading('The mesh is up')}: ${styled('cyan', status.gatewayUrl)}  (logs in .data/logs)`;
  const https = status.pairs.find(({ ports }) => ports.https !== undefined)?.ports.https;
  const secure =
    https === undefined ? [] : [`over HTTPS, for who trusts .data/edge/ca.pem: https://127.0.0.1:${https}`];
  return [title, ...secure, '', describeMesh(status), '', describeNextSteps(status)].join('\n');
}
