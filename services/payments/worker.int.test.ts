import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DependencyError } from '../_chassis/errors.ts';
import { eventType } from '../_chassis/contract.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { slowMs, startBench, type Bench } from './test-bench.ts';

// With its worker, against the real bank over HTTP, through a network that can be broken.
let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
  bench.startWorker();
});
beforeEach(() => {
  bench.calls.length = 0;
});
afterEach(async () => {
  bench.through();
  expect(await bench.neglected()).toEqual([]);
});
afterAll(() => bench.close());

const becomes = (orderId: string, state: string) =>
  vi.waitFor(async () => expect(await bench.stateOf(orderId)).toBe(state), { timeout: 15_000, interval: 10 });
const unreachable = () => Promise.reject(new DependencyError('bank', 'unreachable'));
const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};
const isCharge = (path: string) => path === '/charges';
const callsFor = (orderId: string) =>
  bench.calls.filter((call) => call.includes(orderId) || call.endsWith('/charges')).map((call) => call.split('/')[0]);

describe('a charge', () => {
  it.each([
    ['tok_ok', 'captured', ['charge']],
    ['tok_declined', 'declined', []],
    ['tok_unheard_of', 'declined', []],
    ['tok_flaky', 'captured', ['charge']],
    ['tok_slow', 'captured', ['charge']],
    ['tok_lost', 'captured', ['charge']],
  ])('when the token is %s, the payment ends as %s and orders is told once', async (token, state, moved) => {
    const id = uuidv7();
    await bench.request(id, token);
    await becomes(id, state);
    expect(await bench.answersTo(id)).toEqual([state]);
    expect(await bench.movedFor(id)).toEqual(moved);
  });

  it('when it is committed, the bank is asked at once and not at the next look round', async () => {
    const startedAt = performance.now();
    for (let n = 0; n < 10; n++) {
      const id = uuidv7();
      await bench.request(id);
      await becomes(id, 'captured');
    }
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('when the answer is lost, the bank is asked by key, and not charged again', async () => {
    const id = uuidv7();
    await bench.request(id, 'tok_lost');
    await becomes(id, 'captured');
    expect(callsFor(id)).toEqual(['POST ', 'GET ']);
  });

  it.each([
    ['a 5xx', () => Promise.resolve({ status: 500, body: '{}' })],
    ['a 4xx', () => Promise.resolve({ status: 404, body: '{}' })],
    ['no JSON', () => Promise.resolve({ status: 200, body: '<html>' })],
    ['another answer', () => Promise.resolve({ status: 200, body: '{"status":"perhaps"}' })],
    ['none to a POST', () => Promise.resolve({ status: 200, body: '{"status":"none"}' })],
    ['nothing in time', unreachable],
  ])('when the bank gives %s, that is not a "no" and the question is asked again', async (_what, reply) => {
    const id = uuidv7();
    let replies = 0;
    bench.through((_path, send) => (++replies <= 2 ? reply() : send()));
    await bench.request(id);
    await becomes(id, 'captured');
    expect(await bench.answersTo(id)).toEqual(['captured']);
  });
});

describe('a reversal', () => {
  it('when the money was captured, it is refunded once', async () => {
    const id = uuidv7();
    await bench.request(id);
    await becomes(id, 'captured');
    await bench.withdraw(id);
    await becomes(id, 'refunded');
    expect(await bench.answersTo(id)).toEqual(['captured', 'reversed refunded']);
    expect(await bench.movedFor(id)).toEqual(['charge', 'refund']);
  });

  it('when the charge was declined, that was the answer', async () => {
    const id = uuidv7();
    await bench.request(id, 'tok_declined');
    await becomes(id, 'declined');
    await bench.withdraw(id);
    expect([await bench.stateOf(id), await bench.answersTo(id)]).toEqual(['declined', ['declined']]);
  });

  it('when a slow charge is on its way, the key is burnt and nothing is ever taken', async () => {
    const id = uuidv7();
    await bench.request(id, 'tok_slow');
    await becomes(id, 'charging-sent');
    await bench.withdraw(id);
    await becomes(id, 'voided');
    expect(await bench.answersTo(id)).toEqual(['reversed voided']);
    await new Promise((resolve) => setTimeout(resolve, slowMs)); // the one fact to wait for is that nothing happens
    expect(await bench.movedFor(id)).toEqual([]);
  });

  it('when the answer to the charge was lost, what was taken is given back', async () => {
    const id = uuidv7();
    await bench.request(id, 'tok_lost');
    await vi.waitFor(async () => expect(await bench.movedFor(id)).toEqual(['charge']), {
      timeout: 10_000,
      interval: 5,
    });
    await bench.withdraw(id);
    await becomes(id, 'refunded');
    expect(await bench.answersTo(id)).toEqual(['reversed refunded']);
  });

  it('when its own answer is lost, it is asked by key, and refunds once', async () => {
    const id = uuidv7();
    await bench.request(id);
    await becomes(id, 'captured');
    bench.through(async (path, send) => {
      const reply = await send();
      return path.endsWith('/reversal') ? unreachable() : reply;
    });
    await bench.withdraw(id);
    await becomes(id, 'refunded');
    expect(await bench.movedFor(id)).toEqual(['charge', 'refund']);
  });

  it('when the answer to the charge comes after the reversal, it changes nothing', async () => {
    const id = uuidv7();
    const { opened, open } = gate();
    bench.through(async (path, send) => {
      const reply = await send();
      if (isCharge(path)) await opened;
      return reply;
    });
    await bench.request(id);
    await vi.waitFor(async () => expect(await bench.movedFor(id)).toEqual(['charge']), 10_000);
    await bench.withdraw(id);
    await becomes(id, 'refunded');
    const before = await bench.service.metrics.registry.getSingleMetricAsString('sidecart_payments_bank_tries_total');
    open();
    await vi.waitFor(async () => {
      const name = 'sidecart_payments_bank_tries_total';
      expect(await bench.service.metrics.registry.getSingleMetricAsString(name)).not.toBe(before);
    }, 10_000);
    expect(await bench.stateOf(id)).toBe('refunded');
    expect(await bench.answersTo(id)).toEqual(['reversed refunded']);
  });

  it('when it comes at any moment of the charge, what was taken was given back, and orders is told once', async () => {
    const ids = Array.from({ length: 30 }, () => uuidv7());
    await Promise.all(
      ids.map(async (id, n) => {
        await bench.request(id, n % 3 === 0 ? 'tok_flaky' : 'tok_ok');
        await new Promise((resolve) => setTimeout(resolve, n % 10));
        await bench.withdraw(id);
      }),
    );
    for (const id of ids) {
      await vi.waitFor(async () => expect(['voided', 'refunded']).toContain(await bench.stateOf(id)), 15_000);
      const state = await bench.stateOf(id);
      expect((await bench.answersTo(id)).at(-1)).toBe(`reversed ${state}`);
      expect(await bench.movedFor(id)).toEqual(state === 'refunded' ? ['charge', 'refund'] : []);
    }
  });
});

describe('the contract', () => {
  it('when every kind of answer has been given, each consumer can read it, and a broken one is found out', async () => {
    const made = (await bench.service.emitted()).map(({ type, data }) => ({ name: type, value: data }));
    const kinds = ['captured', 'declined', 'reversed'].map((kind) => eventType('payments', `payment.${kind}`));
    expect(new Set(made.map(({ name }) => name))).toEqual(new Set(kinds));
    expect(await disappointedBy(made)).toEqual({ disappointments: [], unread: [] });
    const broken = made.map(({ name, value }) => ({ name, value: { ...(value as object), orderId: undefined } }));
    expect((await disappointedBy(broken)).disappointments.length).toBeGreaterThanOrEqual(broken.length);
  });
});
