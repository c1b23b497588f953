import * as grpc from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { clientOver } from './client.ts';
import { grpcCalls, openChannel } from './grpc-calls.ts';
import { listenGrpc } from './listen.ts';
import { loadService, toMessage } from './proto.ts';
import { grpcThingsContract as contract } from './test-support/things.ts';

const { file, service } = contract.proto;
const getThing = loadService(file, service)['getThing'];

/** A client of things whose server sends these answers to each call of getThing, and then a good status, this one, or none. */
async function open(
  answers: readonly { kind: string }[],
  end: Partial<grpc.StatusObject> | 'ok' | 'never' = 'ok',
  { refusals = 0, code = grpc.status.UNAVAILABLE } = {},
) {
  let calls = 0;
  if (!getThing) throw new Error('things have no rpc getThing');
  const server = new grpc.Server();
  const manyAnswers = { getThing: { ...getThing, responseStream: true } };
  server.addService(manyAnswers, {
    getThing(call: grpc.ServerWritableStream<object, object>) {
      calls += 1;
      if (calls <= refusals) return void call.emit('error', { code, details: 'refused' });
      for (const answer of answers) call.write(toMessage(answer));
      if (end === 'ok') call.end();
      else if (end !== 'never') call.emit('error', end);
    },
  });
  const listening = await listenGrpc(server, 0);
  const channel = openChannel(listening.port);
  const client = clientOver(contract, grpcCalls(channel, 'things', contract.proto, 'token'));
  return {
    client,
    calls: () => calls,
    async [Symbol.asyncDispose]() {
      channel.close();
      await listening.close();
    },
  };
}

const found = (thingId: string) => ({ kind: 'found', thing: { id: thingId, tags: [] } });

it('when daprd has tried again after an answer, the first answer comes, and without delay', async () => {
  await using things = await open([found('first'), found('second'), found('third')]);
  expect(await things.client.getThing({ thingId: 'x' }, { timeoutMs: 5_000 })).toEqual(found('first'));
});

it.each([
  ['a failure', { code: grpc.status.UNAVAILABLE, details: 'gone' }],
  ['nothing more', 'never'],
] as const)('when an answer came and then %s, it is the answer, and without delay', async (_, end) => {
  await using things = await open([found('first')], end);
  const started = performance.now();
  expect(await things.client.getThing({ thingId: 'x' }, { timeoutMs: 30_000 })).toEqual(found('first'));
  expect(performance.now() - started).toBeLessThan(10_000);
});

it('when there is a good status and no answer, the call has failed', async () => {
  await using things = await open([]);
  await expect(things.client.getThing({ thingId: 'x' })).rejects.toMatchObject({ reason: 'failed' });
});

it.each([grpc.status.UNAVAILABLE, grpc.status.CANCELLED])(
  'when it is refused with %d a few times, it is tried again until it is answered',
  async (code) => {
    await using things = await open([found('x')], 'ok', { refusals: 3, code });
    expect(await things.client.getThing({ thingId: 'x' })).toEqual(found('x'));
    expect(things.calls()).toBe(4);
  },
);

it('when it is refused for longer, it has failed in the end, at its deadline at the latest', async () => {
  // Each call a server of its own: the last try of one may arrive after its deadline.
  const refuse = () => open([found('x')], 'ok', { refusals: 1_000 });
  await using short = await refuse();
  // A refusal that comes just at the deadline is the deadline's.
  await expect(short.client.getThing({ thingId: 'x' }, { timeoutMs: 300 })).rejects.toMatchObject({
    reason: expect.stringMatching(/^(unreachable|deadline)$/) as string,
  });
  expect(short.calls()).toBeLessThanOrEqual(6);
  await using long = await refuse();
  await expect(long.client.getThing({ thingId: 'x' }, { timeoutMs: 15_000 })).rejects.toMatchObject({
    reason: 'unreachable',
  });
  expect(long.calls()).toBe(31);
});

it('when it is refused for what a retry does not mend, it is not tried again', async () => {
  await using things = await open([found('x')], 'ok', { refusals: 1, code: grpc.status.INTERNAL });
  await expect(things.client.getThing({ thingId: 'x' })).rejects.toMatchObject({ reason: 'failed' });
  expect(things.calls()).toBe(1);
});
