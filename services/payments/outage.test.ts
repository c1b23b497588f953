import { describe, expect, it } from 'vitest';
import { createLog } from '../_chassis/log.ts';
import { createOutage } from './outage.ts';

const quietMs = 20_000;
function start() {
  let now = 0;
  const outage = createOutage({ concurrency: 8, quietMs, log: createLog('payments', 'silent'), clock: () => now });
  return { ...outage, wait: (ms: number) => (now += ms) };
}
const everything = { limit: 8 };
const sentOnly = { limit: 1, states: ['charging-sent', 'reversing'] };

describe('outage', () => {
  it('when three tries in a row bring no answer, only what was sent is asked, one at a time, until one does', () => {
    const outage = start();
    outage.unheard();
    outage.unheard();
    expect(outage.gate()).toEqual(everything);
    outage.unheard();
    expect(outage.gate()).toEqual(sentOnly);
    expect(outage.heard()).toBe(true);
    expect(outage.gate()).toEqual(everything);
  });

  it('when an answer comes in between, the bank is not down', () => {
    const outage = start();
    for (let n = 0; n < 9; n++) {
      outage.unheard();
      outage.unheard();
      expect(outage.heard()).toBe(false);
    }
    expect(outage.gate()).toEqual(everything);
  });

  it('when there is nothing sent left to ask about, one intent serves as the question', () => {
    const outage = start();
    for (let n = 0; n < 3; n++) outage.unheard();
    outage.wait(quietMs);
    expect(outage.gate()).toEqual(sentOnly);
    outage.wait(1);
    expect(outage.gate()).toEqual({ limit: 1 });
    outage.unheard();
    expect(outage.gate()).toEqual(sentOnly);
  });
});
