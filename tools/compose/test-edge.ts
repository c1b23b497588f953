import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import { ensureEdgeCertificate } from '../mesh/edge-certificate.ts';
import { removeNetwork } from './containers.ts';

const docker = new Docker();
const images = { edge: 'nginx:1.26.3', gateway: 'node:24.21.0-trixie-slim' };
const configuration = fileURLToPath(new URL('../../containers/edge', import.meta.url));

/** What stands for a gateway: it says what it was sent, and fails where it is asked to. */
const gatewayProgram = `
const name = require('node:os').hostname();
const seen = [];
require('node:http').createServer((request, response) => {
  const { method, url, rawHeaders } = request;
  request.resume().on('end', () => {
    seen.push(method + ' ' + url);
    if (url === '/die' || url === '/die/' + name) return request.socket.destroy();
    if (url === '/hang') return;
    if (url.endsWith('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\\n\\n');
      return void setTimeout(() => response.write('data: 2\\n\\n'), 11_000);
    }
    const answer = () => {
      response.writeHead(url === '/missing' ? 404 : 200, { 'x-served-by': name });
      response.end(JSON.stringify({ rawHeaders, url, seen }));
    };
    setTimeout(answer, url === '/slow' ? 3000 : 0);
  });
}).listen(8080);`;

/** One edge: its ports on this machine. */
export interface TestEdge {
  readonly container: Docker.Container;
  readonly port: number;
  readonly tlsPort: number;
  /** The JSON lines that it has written so far. */
  lines(): Promise<Record<string, unknown>[]>;
}

/** A network of its own on which gateways share a name and edges look for it; `close` leaves nothing of it. */
export async function openTestNetwork() {
  const name = `sidecart-edge-${randomBytes(4).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), 'sidecart-edge-'));
  await ensureEdgeCertificate(folder);
  await chmod(folder, 0o755); // the container's user is another
  for (const file of ['cert.pem', 'key.pem']) await chmod(join(folder, file), 0o644);
  const network = await docker.createNetwork({ Name: name });
  const started: Docker.Container[] = [];
  const start = async (options: Docker.ContainerCreateOptions): Promise<Docker.Container> => {
    const container = await docker.createContainer(options);
    started.push(container);
    await container.start();
    return container;
  };

  /** Starts a gateway; what it answers says its name in `x-served-by`. */
  const startGateway = async () => {
    const container = await start({
      Image: images.gateway,
      Entrypoint: ['node', '-e', gatewayProgram],
      HostConfig: { Init: true, NetworkMode: name },
      NetworkingConfig: { EndpointsConfig: { [name]: { Aliases: ['gateway'] } } },
    });
    return { container, name: container.id.slice(0, 12) };
  };

  /** Starts an edge as the containers of the mesh have it. */
  const startEdge = async (environment: Record<string, string> = {}): Promise<TestEdge> => {
    const anywhere = [{ HostIp: '127.0.0.1', HostPort: '' }];
    const container = await start({
      Image: images.edge,
      Entrypoint: ['/etc/sidecart/edge/edge.sh'],
      User: '101',
      Env: Object.entries(environment).map((pair) => pair.join('=')),
      ExposedPorts: { '8080/tcp': {}, '8443/tcp': {} },
      HostConfig: {
        Init: true,
        NetworkMode: name,
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        Tmpfs: { '/tmp': '' },
        Binds: [`${configuration}:/etc/sidecart/edge:ro`, `${folder}:/run/edge:ro`],
        PortBindings: { '8080/tcp': anywhere, '8443/tcp': anywhere },
      },
    });
    const { Ports: ports } = (await container.inspect()).NetworkSettings;
    const portOf = (inside: string) => Number(ports[`${inside}/tcp`]?.[0]?.HostPort);
    const lines = async () => linesOf(await container.logs({ stdout: true, stderr: false }));
    return { container, port: portOf('8080'), tlsPort: portOf('8443'), lines };
  };

  const close = async (): Promise<void> => {
    await Promise.all(started.map((container) => container.remove({ force: true }).catch(() => undefined)));
    await removeNetwork(network);
    await rm(folder, { recursive: true });
  };
  return { folder, startGateway, startEdge, close };
}

/** The engine gives each line behind eight bytes, the last four of which are its length. */
function linesOf(log: Buffer): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  for (let at = 0; at < log.length;) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    lines.push(JSON.parse(log.toString('utf8', at + 8, end)) as Record<string, unknown>);
    at = end;
  }
  return lines;
}
