import * as grpc from '@grpc/grpc-js';
import type { StreamOptions } from '../../_chassis/client.ts';
import type { Contract } from '../../_chassis/contract.ts';
import { DependencyError } from '../../_chassis/errors.ts';
import { grpcCalls, openChannel } from '../../_chassis/grpc-calls.ts';
import { grpcStreams } from '../../_chassis/grpc-streams.ts';
import { readJson } from '../../_chassis/json.ts';

/** A service's front door, for whoever has an app token and says which service he is. */
export interface Door {
  call(method: string, request: unknown, headers: Record<string, string>, timeoutMs?: number): Promise<unknown>;
  stream(
    method: string,
    request: unknown,
    options: StreamOptions,
    headers: Record<string, string>,
  ): AsyncIterable<unknown>;
  close(): void;
}

// Node closes an HTTP/2 connection on which 1,000 streams have been left before their end, faster than 33 a second.
const streamsOfOne = 300;

/** Opens a door over the transport that the contract names; a refusal of the transport itself is a DependencyError. */
export function openDoor({ service, proto }: Contract, port: number, appToken: string): Door {
  if (proto) {
    const channel = openChannel(port);
    const call = grpcCalls(channel, service, proto, appToken);
    const channels: grpc.Client[] = [];
    const openAnother = () =>
      new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    let streams = 0;
    return {
      call,
      stream(method, request, options, headers) {
        if (streams++ % streamsOfOne === 0) channels.unshift(openAnother());
        return grpcStreams(channels[0] ?? channel, service, proto, appToken, { headers })(method, request, options);
      },
      close: () => [channel, ...channels].forEach((one) => one.close()),
    };
  }
  return {
    async call(method, request, headers) {
      const response = await fetch(`http://127.0.0.1:${port}/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'dapr-api-token': appToken, ...headers },
        body: JSON.stringify(request),
      });
      const text = await response.text();
      if (response.status === 200) return readJson(text);
      throw new DependencyError(service, 'failed', { detail: `${method} answered ${response.status}: ${text}` });
    },
    stream: () => {
      throw new Error(`${service} carries no stream`);
    },
    close: () => undefined,
  };
}
