import type * as grpc from '@grpc/grpc-js';
import { Metadata } from '@grpc/grpc-js';
import type { Delivery } from '../consumer.ts';
import type { Envelope } from '../envelope.ts';
import { appCallback, loadService } from '../proto.ts';

const callback = loadService(appCallback.file, appCallback.service);

/** Delivers an event as daprd does to a gRPC app: taken apart, with what it has no field for in `extensions`. */
export function deliverOverGrpc(channel: grpc.Client, appToken: string, event: Envelope): Promise<Delivery> {
  const rpc = callback['onTopicEvent'];
  if (!rpc) throw new Error('the app callback has no onTopicEvent');
  const { specversion, id, source, type, topic, data, ...rest } = event;
  const fields = Object.entries(rest).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, { stringValue: value }]],
  );
  const request = {
    ...{ id, source, type, topic, specVersion: specversion, pubsubName: 'pubsub' },
    data: Buffer.from(JSON.stringify(data) ?? ''),
    extensions: { fields: Object.fromEntries(fields) as Record<string, object> },
  };
  const metadata = new Metadata();
  metadata.set('dapr-api-token', appToken);
  return new Promise((resolve, reject) => {
    channel.makeUnaryRequest(
      rpc.path,
      (message: object) => rpc.requestSerialize(message),
      (bytes: Buffer) => rpc.responseDeserialize(bytes) as { status: Delivery },
      request,
      metadata,
      (error, answer) => {
        if (answer) resolve(answer.status);
        else reject(error ?? new Error('no answer to a delivery'));
      },
    );
  });
}
