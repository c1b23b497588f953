import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createConnect, type Connect } from '../services/_chassis/client.ts';
import { createSidecar } from '../services/_chassis/sidecar.ts';
import { homeAt, repository } from './mesh/home.ts';
import { runningMesh } from './mesh/up.ts';
import { UserError } from './mesh/user-error.ts';

const inPod = '/run/secrets/tokens.env';

/**
 * The way into the mesh of a service, through its own sidecar: in a container that of its pod, else that of the running mesh. Its
 * token is where only its user can read it: in a volume, or in the environment of its process.
 */
export async function connectAs(service: string): Promise<Connect> {
  if (existsSync(inPod)) {
    const { DAPR_HTTP_PORT, DAPR_GRPC_PORT } = process.env;
    const apiToken = /^DAPR_API_TOKEN=(.*)$/m.exec(await readFile(inPod, 'utf8'))?.[1] ?? '';
    return connectBy(Number(DAPR_HTTP_PORT), Number(DAPR_GRPC_PORT), apiToken);
  }
  const pair = (await runningMesh(homeAt(repository)))?.pairs.find((one) => one.service === service);
  if (pair?.appPid === undefined) throw new UserError(`no ${service} runs here: \`make up\` first`);
  const environment = await readFile(`/proc/${pair.appPid}/environ`, 'utf8');
  const apiToken = /(?:^|\0)DAPR_API_TOKEN=([^\0]*)/.exec(environment)?.[1] ?? '';
  return connectBy(pair.ports.http, pair.ports.grpc, apiToken);
}

const connectBy = (port: number, grpcPort: number, apiToken: string) =>
  createConnect({ sidecar: createSidecar({ port, apiToken }), grpcPort, apiToken });
