import { describe, expect, it } from 'vitest';
import { createDispatch } from '../call.ts';
import { contextHeaders, currentContext } from '../context.ts';
import type { Consumer, Delivery } from '../consumer.ts';
import { DependencyError } from '../errors.ts';
import type { Authenticate } from '../identity.ts';
import { createLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { grpcThingsContract, thingsMethods, type ThingsMethods } from './things.ts';

/** What a caller gets: an answer, or what his transport makes of a refusal, with all the text there is. */
export type Reply =
  | { kind: 'answer'; answer: unknown }
  | { kind: 'not-from-sidecar' | 'not-allowed' | 'bad-request' | 'fault' | 'other'; text: string };

/** An app that listens, called as its sidecar would; headers are added to the usual ones, an empty one is left out. */
export interface Door {
  call(method: keyof ThingsMethods, request: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  close(): Promise<void>;
}

export const appToken = 'the app token of this test';
export const log = createLog('things', 'silent');
export const principal = { subject: 'ada', tenant: 'main', roles: ['customer'], scopes: ['read', 'write'] };

const authenticate: Authenticate = async (authorization) => {
  if (authorization === undefined) return undefined;
  if (authorization === 'Bearer unknown') throw new DependencyError('auth', 'unreachable');
  const scopes = /^Bearer only-(\w+)$/.exec(authorization)?.slice(1);
  if (scopes) return { ...principal, scopes };
  return authorization === 'Bearer good' ? principal : 'invalid';
};

/**
 * Dispatch over these methods; the token `good` is a customer's, `only-read` one with that scope alone, `unknown` one whose
 * key nobody can look up now; every other is invalid.
 */
export const dispatchOver = (methods: Partial<ThingsMethods> = {}) =>
  createDispatch({
    contract: grpcThingsContract,
    methods: thingsMethods(methods),
    authenticate,
    log,
    metrics: createMetrics('things'),
  });

/** The usual headers of a call from the gateway. */
export const usualHeaders = {
  'dapr-api-token': appToken,
  'dapr-caller-app-id': 'gateway',
  'idempotency-key': 'key-1',
};

/** A consumer that notes what it is given and says what it is told to say. */
export function noteConsumer(say: Delivery = 'SUCCESS') {
  const delivered: { topic: string; message: unknown }[] = [];
  const consumer: Consumer = {
    service: 'reader',
    subscriptions: [{ source: 'things', topic: 'things.events', handlers: {} }],
    async deliver(topic, message) {
      delivered.push({ topic, message });
      return say;
    },
    handle: () => Promise.reject(new Error('not this way')),
  };
  return { consumer, delivered };
}

/** What holds at the front door of every app, whatever its transport. */
export function describeFrontDoor(transport: string, open: (methods?: Partial<ThingsMethods>) => Promise<Door>): void {
  const through = async <T>(methods: Partial<ThingsMethods>, work: (door: Door) => Promise<T>): Promise<T> => {
    const door = await open(methods);
    return work(door).finally(() => door.close());
  };
  const kindOf = (reply: Reply) => (reply.kind === 'answer' ? reply.answer : reply.kind);
  const get = { thingId: 'x' };
  const keep = { thingId: 'x', tags: [] };

  describe(`a call over ${transport}`, () => {
    it('when all is well, the answer is what the method gave', () =>
      through({}, async (door) => {
        const thing = { id: 'x', tags: ['a', 'b'] };
        expect(kindOf(await door.call('getThing', get))).toEqual({ kind: 'found', thing });
      }));

    it('when the token of the sidecar is missing or another, it is refused', () =>
      through({}, async (door) => {
        for (const token of ['', 'another', appToken.slice(1), appToken.toUpperCase()])
          expect(kindOf(await door.call('getThing', get, { 'dapr-api-token': token }))).toBe('not-from-sidecar');
      }));

    it('when the caller is not in the contract, or two are named, or none, it is not allowed', () =>
      through({}, async (door) => {
        for (const caller of ['orders', 'gateway, orders', 'orders, gateway', 'GATEWAY', ''])
          expect(kindOf(await door.call('getThing', get, { 'dapr-caller-app-id': caller }))).toBe('not-allowed');
      }));

    it('when the request is not of its shape, the caller is told which field', () =>
      through({}, async (door) => {
        const reply = await door.call('getThing', { thingId: '' });
        expect(reply).toMatchObject({ kind: 'bad-request', text: expect.stringContaining('/thingId') as string });
      }));

    it('when the deadline has passed, the method is not run', () => {
      let ran = false;
      const getThing: ThingsMethods['getThing'] = async () => {
        ran = true;
        return { kind: 'not-found' };
      };
      return through({ getThing }, async (door) => {
        const headers = { 'x-deadline': String(Date.now() - 1) };
        expect(kindOf(await door.call('getThing', get, headers))).toEqual({ kind: 'deadline-passed' });
        expect(ran).toBe(false);
      });
    });

    it('when the method outlives the deadline, the answer comes near it', () =>
      through({ getThing: () => new Promise(() => undefined) }, async (door) => {
        const started = performance.now();
        const headers = { 'x-deadline': String(Date.now() + 50) };
        expect(kindOf(await door.call('getThing', get, headers))).toEqual({ kind: 'deadline-passed' });
        expect(performance.now() - started).toBeLessThan(2_000);
      }));

    it('when the deadline is unreadable or centuries away, the method has all its time', () => {
      const getThing: ThingsMethods['getThing'] = () =>
        new Promise((resolve) => setTimeout(resolve, 20, { kind: 'not-found' }));
      return through({ getThing }, async (door) => {
        for (const deadline of ['soon', '-5', '1.5', '9007199254740991'])
          expect(kindOf(await door.call('getThing', get, { 'x-deadline': deadline }))).toEqual({ kind: 'not-found' });
      });
    });

    it('when something that the method needs is late, the answer is that the time is over', () => {
      const late = () => Promise.reject(new DependencyError('bank', 'deadline'));
      return through({ getThing: late }, async (door) => {
        expect(kindOf(await door.call('getThing', get))).toEqual({ kind: 'deadline-passed' });
      });
    });

    it('when there are more calls than database connections, the caller is told to come again, and it is no failure', () => {
      const noConnection = () => Promise.reject(new Error('timeout exceeded when trying to connect'));
      return through({ getThing: noConnection }, async (door) => {
        expect(kindOf(await door.call('getThing', get))).toEqual({ kind: 'overloaded', retryAfterMs: 1_000 });
      });
    });

    it('when a write has no usable key, it is refused; a read needs none', () =>
      through({}, async (door) => {
        for (const key of ['', 'k'.repeat(256)])
          expect(kindOf(await door.call('keepThing', keep, { 'idempotency-key': key }))).toBe('bad-request');
        expect(kindOf(await door.call('getThing', get, { 'idempotency-key': '' }))).toMatchObject({ kind: 'found' });
      }));

    it('when the method throws, also at once, the caller gets a fault with nothing of ours in it', async () => {
      const throws: ThingsMethods['getThing'] = () => {
        throw new Error('password=hunter2');
      };
      const rejects: ThingsMethods['getThing'] = async () => throws(get, undefined as never);
      for (const getThing of [throws, rejects]) {
        const reply = await through({ getThing }, (door) => door.call('getThing', get));
        expect(reply.kind).toBe('fault');
        expect(JSON.stringify(reply)).not.toMatch(/hunter2|at .*\.ts/);
      }
    });

    it('when the token is not valid, nobody is signed in; with a valid one the caller is its subject', () =>
      through({}, async (door) => {
        for (const authorization of ['Bearer bad', 'Basic Z29vZA=='])
          expect(kindOf(await door.call('keepThing', keep, { authorization }))).toEqual({ kind: 'unauthenticated' });
        const as = async (headers: Record<string, string>) => kindOf(await door.call('keepThing', keep, headers));
        expect(await as({ authorization: 'Bearer good' })).toEqual({ kind: 'kept', by: 'ada', key: 'key-1' });
        expect(await as({})).toEqual({ kind: 'kept', by: 'gateway', key: 'key-1' });
      }));

    it('when the token has not the scope of what it is used for, it is forbidden; without one nothing limits', () =>
      through({}, async (door) => {
        const forbidden = { kind: 'forbidden' };
        const withScope = (scope: string) => ({ authorization: `Bearer only-${scope}` });
        expect(kindOf(await door.call('getThing', get, withScope('read')))).toMatchObject({ kind: 'found' });
        expect(kindOf(await door.call('keepThing', keep, withScope('read')))).toEqual(forbidden);
        expect(kindOf(await door.call('keepThing', keep, withScope('write')))).toMatchObject({ kind: 'kept' });
        expect(kindOf(await door.call('getThing', get, withScope('write')))).toEqual(forbidden);
        expect(kindOf(await door.call('getThing', get, withScope('openid')))).toEqual(forbidden);
      }));

    it('when nobody can say whose key signed the token, the caller is told to come again, and it is no failure', () =>
      through({}, async (door) => {
        const unknown = await door.call('getThing', get, { authorization: 'Bearer unknown' });
        expect(kindOf(unknown)).toEqual({ kind: 'overloaded', retryAfterMs: 1_000 });
      }));

    it('when the method calls on, its trace, request id, deadline and token go with it', async () => {
      let passed: Record<string, string> = {};
      const getThing: ThingsMethods['getThing'] = async () => {
        passed = contextHeaders(currentContext());
        return { kind: 'not-found' };
      };
      const [trace, deadline] = ['a'.repeat(32), String(Date.now() + 60_000)];
      const given = { 'x-request-id': 'r-1', 'x-deadline': deadline, authorization: 'Bearer good' };
      const traceparent = `00-${trace}-${'b'.repeat(16)}-01`;
      await through({ getThing }, (door) => door.call('getThing', get, { ...given, traceparent }));
      expect(passed).toMatchObject(given);
      expect(passed['traceparent']).toMatch(new RegExp(`^00-${trace}-(?!b{16})[0-9a-f]{16}-01$`));
    });
  });
}
