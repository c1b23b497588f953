import { fileURLToPath } from 'node:url';
import protoLoader from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/proto-loader';

/** One rpc as @grpc/proto-loader gives it: path, and how messages become bytes. */
export type Rpc = MethodDefinition<object, object>;

const options = { keepCase: false, longs: Number, enums: String, defaults: true, oneofs: true, arrays: true };
const daprProtos = fileURLToPath(new URL('./proto/', import.meta.url));

/** The rpcs of a service by their names in camelCase; throws when file or service is not there. */
export function loadService(file: string, service: string): Record<string, Rpc> {
  const found = protoLoader.loadSync(file, { ...options, includeDirs: [daprProtos] })[service];
  if (!found || 'format' in found) throw new Error(`no service ${service} in ${file}`);
  const rpcs = Object.entries(found).map(([name, rpc]) => [name.charAt(0).toLowerCase() + name.slice(1), rpc]);
  return Object.fromEntries(rpcs) as Record<string, Rpc>;
}

/** Dapr's service by which a sidecar asks a gRPC app for its subscriptions, and brings it their events. */
export const appCallback = {
  file: `${daprProtos}dapr/proto/runtime/v1/appcallback.proto`,
  service: 'dapr.proto.runtime.v1.AppCallback',
};

const camel = (kind: string) => kind.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** An answer `{ kind, … }` as the message whose oneof `answer` has the case of that name. */
export function toMessage({ kind, ...fields }: { kind: string }): object {
  return { [camel(kind)]: fields };
}

/** The answer `{ kind, … }` in a message; unset fields are left out. */
export function fromMessage(message: object): unknown {
  const plain = withoutNulls(message) as Record<string, unknown>;
  const chosen = plain['answer'];
  if (typeof chosen !== 'string') return undefined;
  return { ...(plain[chosen] as object), kind: kebab(chosen) };
}

/** proto-loader gives null for a message field that is not set; to us it is not there. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(entries.map(([name, field]) => [name, withoutNulls(field)]));
}
