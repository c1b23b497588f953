import * as grpc from '@grpc/grpc-js';
import { openChannel } from '../_chassis/grpc-calls.ts';
import type { Daprd } from './daprd.ts';
import { appIds } from './two-apps.ts';

/** Status and body of an HTTP request to a loopback port. */
export async function ask(port: number, path: string, options: { verb?: string; token?: string; body?: unknown } = {}) {
  const { verb = 'POST', token, body } = options;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: verb,
    headers: { 'content-type': 'application/json', ...(token !== undefined && { 'dapr-api-token': token }) },
    body: verb === 'GET' ? null : JSON.stringify(body ?? {}),
  });
  return { status: response.status, body: await response.text() };
}
/** Invokes a path of an app through a sidecar. */
export const invoke = ({ httpPort, apiToken }: Daprd, app: string, path: string, verb = 'POST', body: unknown = {}) =>
  ask(httpPort, `/v1.0/invoke/${app}/method${path}`, { verb, token: apiToken, body });

/** The rpc of the apps over gRPC that both list. */
export const getThing = '/sidecart.test.v1.Things/GetThing';

/** The status of a call over gRPC to a loopback port, with the request of getThing. */
export async function grpcStatus(port: number, path: string, headers: Record<string, string>): Promise<grpc.status> {
  const request = Buffer.from([0x0a, 1, 0x78]); // field 1: "x"
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const channel = openChannel(port);
  const deadline = Date.now() + 10_000;
  const status = await new Promise<grpc.status>((resolve) => {
    const asIs = (bytes: Buffer) => bytes;
    channel.makeUnaryRequest(path, asIs, asIs, request, metadata, { deadline }, (error) =>
      resolve(error?.code ?? grpc.status.OK),
    );
  });
  channel.close();
  return status;
}
/** The status of a call to the app over gRPC through a sidecar. */
export const proxied = ({ grpcPort, apiToken }: Daprd, path: string) =>
  grpcStatus(grpcPort, path, { 'dapr-app-id': appIds.grpc, 'dapr-api-token': apiToken });
