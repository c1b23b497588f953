import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../services/_e2e/random.ts';
import { createDeliveries } from './deliveries.ts';

// A hundred times as fast as in a drill.
const fast = (ms: number) => delay(ms / 100);
const event = (n: number) => ({ id: `event-${n}`, subject: `order-${n % 5}` });
const numbers = Array.from({ length: 200 }, (_, n) => n);

describe('deliveries', () => {
  it('when events come, each is delivered one to five times, not in order, and that is what is counted', async () => {
    const deliveries = createDeliveries(randomNumbers(1), fast);
    const delivered: number[] = [];
    const answers = await Promise.all(
      numbers.map((n) =>
        deliveries.deliver('app', event(n), async () => {
          delivered.push(n);
          return n;
        }),
      ),
    );
    await deliveries.idle();
    const times = numbers.map((n) => delivered.filter((one) => one === n).length);
    const firsts = [...new Set(delivered)];
    const overtaken = firsts.filter((n, index) => firsts.slice(0, index).some((before) => before > n));

    expect(answers).toEqual(numbers);
    expect(new Set(times)).toEqual(new Set([1, 2, 3, 4, 5]));
    expect(deliveries.figures()).toMatchObject({
      events: 200,
      deliveries: delivered.length,
      duplicates: delivered.length - 200,
      outOfOrder: overtaken.length,
      repeatedByTheBroker: 0,
    });
    expect(deliveries.figures().outOfOrderInAnOrder).toBeGreaterThan(0);
  });

  it('when the app fails once, the next copy that is handled is the answer; when it was never reached, there is none', async () => {
    const five = () => 4;
    const deliveries = createDeliveries(five, fast);
    let tries = 0;
    const second = deliveries.deliver('app', event(1), async () => {
      tries += 1;
      if (tries === 1) throw new Error('away');
      return tries;
    });
    expect(await second).toBe(2);
    await expect(deliveries.deliver('app', event(2), () => Promise.reject(new Error('away')))).rejects.toThrow();
  });

  it('when the broker brings an event again, it is the same event', async () => {
    const deliveries = createDeliveries(() => 0, fast);
    await deliveries.deliver('app', event(1), async () => 'taken');
    await deliveries.deliver('app', event(1), async () => 'taken');
    await deliveries.deliver('other', event(1), async () => 'taken');
    expect(deliveries.figures()).toMatchObject({ events: 2, deliveries: 3, duplicates: 1, repeatedByTheBroker: 1 });
  });
});
