import { connect } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { buildGrpcApp } from '../_chassis/grpc-app.ts';
import { listenGrpc } from '../_chassis/listen.ts';
import { appCallback, loadService } from '../_chassis/proto.ts';
import { appToken, dispatchOver, noteConsumer } from '../_chassis/test-support/front-door.ts';
import { grpcThingsContract as contract } from '../_chassis/test-support/things.ts';
import { component, makeDaprdHome, startDaprd } from './daprd.ts';

const { getThing } = loadService(contract.proto.file, contract.proto.service);
const callback = loadService(appCallback.file, appCallback.service);

/** An app that refuses every call before it has read it, as one does whose connection breaks. */
function buildRefuser(): grpc.Server {
  const server = new grpc.Server();
  const { listTopicSubscriptions } = callback;
  if (!getThing || !listTopicSubscriptions) throw new Error('an rpc is missing');
  server.addService(
    { getThing: { ...getThing, requestStream: true, responseStream: true }, listTopicSubscriptions },
    {
      getThing: (call: grpc.ServerDuplexStream<object, object>) =>
        void call.emit('error', { code: grpc.status.UNAVAILABLE, details: 'away' }),
      listTopicSubscriptions: (_call: unknown, answer: grpc.sendUnaryData<object>) =>
        answer(null, { subscriptions: [{ pubsubName: 'pubsub', topic: 'things.events' }] }),
    },
  );
  return server;
}

it('when a request comes so slowly that an app has refused it before it is there, the caller is told so and not kept waiting', async () => {
  const home = await makeDaprdHome({});
  const components = { pubsub: component('pubsub', 'pubsub.in-memory') };
  const start = async (appId: string, server: grpc.Server) => {
    const app = await listenGrpc(server, 0);
    const daprd = await startDaprd({
      home,
      appId,
      protocol: 'grpc',
      appPort: app.port,
      appToken,
      contract,
      components,
    });
    return { daprd, stop: () => Promise.all([daprd.stop(), app.close()]) };
  };
  const ours = () => buildGrpcApp({ contract, dispatch: dispatchOver(), consumer: noteConsumer().consumer, appToken });
  const refuser = await start('orders', buildRefuser());
  const answerer = await start('orders', ours());
  const gateway = await start('gateway', ours());
  const { grpcPort, apiToken } = gateway.daprd;
  const session = connect(`http://127.0.0.1:${grpcPort}`);
  const message = getThing?.requestSerialize({ thingId: 'x' }) ?? Buffer.alloc(0);

  async function callSlowly(): Promise<string> {
    const stream = session.request({
      ':method': 'POST',
      ':path': getThing?.path ?? '',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '8000m',
      'dapr-app-id': 'orders',
      'dapr-api-token': apiToken,
    });
    const status = new Promise<string>((resolve) => {
      stream.on('close', () => resolve('none'));
      for (const event of ['response', 'trailers'])
        stream.on(
          event,
          (headers: Record<string, string>) => headers['grpc-status'] && resolve(headers['grpc-status']),
        );
    });
    stream.resume();
    await delay(300);
    stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
    return status;
  }

  const statuses = await Promise.all(Array.from({ length: 24 }, callSlowly));
  session.close();
  await Promise.all([gateway, answerer, refuser].map(({ stop }) => stop()));
  await home.remove();
  // The resolver gives out either replica: that all of them go to the same one is no accident.
  expect([...new Set(statuses)].sort()).toEqual([String(grpc.status.OK), String(grpc.status.UNAVAILABLE)]);
});
