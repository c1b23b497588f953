import { describe, expect, it } from 'vitest';
import { clientOver, eventLogOf, httpTransport } from './client.ts';
import { DependencyError } from './errors.ts';
import { createMemorySidecar } from './test-support/sidecar.ts';
import { thingsContract } from './test-support/things.ts';

const answering = (raw: unknown) => clientOver(thingsContract, async () => raw);
const failedOf = (service: string) => expect.objectContaining({ dependency: service, reason: 'failed' }) as unknown;

describe('a client', () => {
  it('when the answer has more than the contract says, the rest is left out', async () => {
    const more = { kind: 'found', thing: { id: 'x', tags: [], new: 1 }, new: 1 };
    expect(await answering(more).getThing({ thingId: 'x' })).toEqual({ kind: 'found', thing: { id: 'x', tags: [] } });
  });

  it.each([
    { kind: 'overloaded', retryAfterMs: 5 },
    { kind: 'deadline-passed' },
    { kind: 'unauthenticated' },
    { kind: 'forbidden' },
    { kind: 'key-reused' },
    { kind: 'in-progress' },
  ])('when it is refused with $kind, the refusal is the answer', async (refusal) => {
    expect(await answering(refusal).keepThing({ thingId: 'x', tags: [] })).toEqual(refusal);
  });

  it.each([undefined, null, '', [], {}, { kind: 'other' }, { kind: 'found' }, { kind: 'overloaded' }])(
    'when the answer is %j, that is a failure of the service that gave it',
    async (raw) => {
      await expect(answering(raw).getThing({ thingId: 'x' })).rejects.toThrow(DependencyError);
      await expect(answering(raw).getThing({ thingId: 'x' })).rejects.toEqual(failedOf('things'));
    },
  );

  it('when a key and a limit are given, the transport gets them; else neither', async () => {
    const carried: unknown[] = [];
    const client = clientOver(thingsContract, async (...call) => {
      carried.push(call);
      return { kind: 'kept', by: 'x', key: 'y' };
    });
    await client.keepThing({ thingId: 'x', tags: [] }, { idempotencyKey: 'k', timeoutMs: 7 });
    await client.keepThing({ thingId: 'x', tags: [] });
    const request = { thingId: 'x', tags: [] };
    expect(carried).toEqual([
      ['keepThing', request, { 'idempotency-key': 'k' }, 7],
      ['keepThing', request, {}, undefined],
    ]);
  });
});

describe('a call over HTTP', () => {
  const over = (status: number, body: string) => {
    const sidecar = createMemorySidecar();
    sidecar.onInvoke(async () => ({ status, body }));
    return clientOver(thingsContract, httpTransport(sidecar, 'things'));
  };

  it('when the status is not 200, or the body is not JSON, it is a failure of the service', async () => {
    for (const [status, body] of [
      [200, '<html>'],
      [200, ''],
      [204, ''],
      [400, '{}'],
      [404, '{}'],
      [500, '{}'],
    ] as const)
      await expect(over(status, body).getThing({ thingId: 'x' })).rejects.toEqual(failedOf('things'));
  });
});

describe("a producer's outbox", () => {
  it('when its service refuses, it counts as away', async () => {
    const refuse = async () => ({ kind: 'overloaded' as const, retryAfterMs: 1 });
    const log = eventLogOf('producer', { listEvents: refuse, readEvents: refuse });
    await expect(log.list({ topic: 't', after: '0:0', limit: 1 })).rejects.toEqual(failedOf('producer'));
    await expect(log.read(['1'])).rejects.toEqual(failedOf('producer'));
  });
});
