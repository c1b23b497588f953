import * as grpc from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { clientOver } from './client.ts';
import { grpcCalls, openChannel } from './grpc-calls.ts';
import { listenGrpc } from './listen.ts';
import { loadService, toMessage } from './proto.ts';
import { grpcThingsContract as contract } from './test-support/things.ts';

const { file, service } = contract.proto;
const getThing = loadService(file, service)['getThing'];

/** A client of things whose server sends these answers to each call of getThing, and then this status. */
async function open(answers: readonly { kind: string }[], error?: Partial<grpc.StatusObject>) {
  if (!getThing) throw new Error('things have no rpc getThing');
  const server = new grpc.Server();
  const manyAnswers = { getThing: { ...getThing, responseStream: true } };
  server.addService(manyAnswers, {
    getThing(call: grpc.ServerWritableStream<object, object>) {
      for (const answer of answers) call.write(toMessage(answer));
      if (error) call.emit('error', error);
      else call.end();
    },
  });
  const listening = await listenGrpc(server, 0);
  const channel = openChannel(listening.port);
  const client = clientOver(contract, grpcCalls(channel, 'things', contract.proto, 'token'));
  return {
    client,
    async [Symbol.asyncDispose]() {
      channel.close();
      await listening.close();
    },
  };
}

const found = (thingId: string) => ({ kind: 'found', thing: { id: thingId, tags: [] } });

it('when daprd has tried again after an answer, the answer of the last try comes, and without delay', async () => {
  await using things = await open([found('first'), found('second'), found('third')]);
  expect(await things.client.getThing({ thingId: 'x' }, { timeoutMs: 5_000 })).toEqual(found('third'));
});

it('when an answer came and then a failure, the call has failed', async () => {
  await using things = await open([found('first')], { code: grpc.status.UNAVAILABLE, details: 'gone' });
  await expect(things.client.getThing({ thingId: 'x' })).rejects.toMatchObject({ reason: 'unreachable' });
});

it('when there is a good status and no answer, the call has failed', async () => {
  await using things = await open([]);
  await expect(things.client.getThing({ thingId: 'x' })).rejects.toMatchObject({ reason: 'failed' });
});
