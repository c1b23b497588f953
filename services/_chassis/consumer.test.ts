import { describe, expect, it } from 'vitest';
import { requireConsumed } from './consumer.ts';
import type { Contract } from './contract.ts';

const contract: Contract = { service: 'things', methods: {}, events: {}, consumes: { orders: ['orders.events'] } };
const orders = { source: 'orders', topic: 'orders.events', handlers: {} };

describe('requireConsumed', () => {
  it('when contract and subscriptions agree, all is well', () => {
    expect(() => requireConsumed(contract, [orders])).not.toThrow();
    expect(() => requireConsumed({ service: 'things', methods: {}, events: {} }, [])).not.toThrow();
  });

  it('when one of them has a topic more, it is named', () => {
    expect(() => requireConsumed(contract, [])).toThrow('things does not subscribe to orders.events of orders');
    expect(() => requireConsumed(contract, [orders, { ...orders, source: 'bank' }])).toThrow(
      'things subscribes to orders.events of bank',
    );
  });
});
