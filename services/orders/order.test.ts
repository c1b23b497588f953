import { describe, expect, it } from 'vitest';
import { ImpossibleInput } from '../_chassis/impossible.ts';
import { deadlineFor, decideOrder, evolveOrder, isTerminal, orderStatus, orderTable } from './order.ts';
import type { OrderEventType, OrderInput, OrderState } from './order.ts';

interface Story {
  state: OrderState | 'none';
  events: OrderEventType[];
  messages: string[];
}

/** Plays inputs one after another; what changes nothing adds nothing. */
function play(...inputs: OrderInput[]): Story {
  return inputs.reduce<Story>(
    (story, input) => {
      const decision = decideOrder(story.state, input);
      if (decision.kind !== 'moved') return story;
      return {
        state: replay(story.state, decision.events),
        events: [...story.events, ...decision.events],
        messages: [...story.messages, ...decision.messages],
      };
    },
    { state: 'none', events: [], messages: [] },
  );
}

const replay = (state: OrderState | 'none', events: readonly OrderEventType[]) =>
  events.reduce<OrderState | 'none'>((before, event) => evolveOrder(before, event), state);

const toReserved = ['place', 'reservation.confirmed'] as const;
const toPaid = [...toReserved, 'payment.captured'] as const;

describe('decideOrder', () => {
  it('when every worker says yes, the order is shipped with one request to each', () => {
    expect(play(...toPaid, 'shipment.dispatched')).toEqual({
      state: 'shipped',
      events: ['placed', 'reserved', 'paid', 'shipped'],
      messages: ['reservation.requested', 'payment.requested', 'shipment.requested'],
    });
  });

  it('when there is no stock, the order is rejected and nobody else is asked', () => {
    expect(play('place', 'reservation.refused')).toEqual({
      state: 'rejected',
      events: ['placed', 'rejected'],
      messages: ['reservation.requested'],
    });
  });

  it('when the payment is declined, the stock is given back', () => {
    const { state, messages } = play(...toReserved, 'payment.declined');

    expect(state).toBe('payment-failed');
    expect(messages.at(-1)).toBe('reservation.withdrawn');
  });

  it.each(['cancel', 'deadline'] as const)('when a placed order meets its %s, it is cancelled at once', (input) => {
    expect(play('place', input)).toEqual({
      state: 'cancelled',
      events: ['placed', 'withdrawn', 'cancelled'],
      messages: ['reservation.requested', 'reservation.withdrawn'],
    });
  });

  it.each(['cancel', 'deadline'] as const)('when a reserved order meets its %s, it waits for the money', (input) => {
    expect(play(...toReserved, input, 'payment.captured').state).toBe('cancelling-payment');
    expect(play(...toReserved, input, 'payment.captured', 'payment.reversed').state).toBe('cancelled');
    expect(play(...toReserved, input, 'payment.declined').state).toBe('cancelled');
  });

  it('when a paid order is cancelled, fulfillment decides before money and stock move', () => {
    expect(play(...toPaid, 'cancel').messages.slice(3)).toEqual(['shipment.withdrawn']);
    expect(play(...toPaid, 'cancel', 'shipment.dispatched').state).toBe('shipped');
    expect(play(...toPaid, 'cancel', 'shipment.cancelled')).toEqual({
      state: 'cancelling-payment',
      events: ['placed', 'reserved', 'paid', 'withdrawn', 'stopped'],
      messages: [
        'reservation.requested',
        'payment.requested',
        'shipment.requested',
        'shipment.withdrawn',
        'payment.withdrawn',
        'reservation.withdrawn',
      ],
    });
  });

  it('when fulfillment gives up, the order is cancelled without asking it to stop', () => {
    const { events, messages } = play(...toPaid, 'shipment.cancelled', 'payment.reversed');

    expect(events).toEqual(['placed', 'reserved', 'paid', 'withdrawn', 'stopped', 'cancelled']);
    expect(messages).not.toContain('shipment.withdrawn');
  });

  it.each(['shipped', 'rejected', 'payment-failed'] as const)(
    'when the order is %s, a cancellation is refused',
    (state) => {
      expect(decideOrder(state, 'cancel')).toEqual({ kind: 'refused' });
    },
  );

  it.each(['cancelling-shipment', 'cancelling-payment', 'cancelled'] as const)(
    'when the order is %s, another cancellation changes nothing',
    (state) => {
      expect(decideOrder(state, 'cancel')).toEqual({ kind: 'unchanged' });
    },
  );

  it('when a pair is not listed, it throws and names the pair', () => {
    expect(() => decideOrder('placed', 'shipment.dispatched')).toThrow(
      new ImpossibleInput('orders', 'placed', 'shipment.dispatched'),
    );
  });

  it('when a row is missing from the given table, it throws', () => {
    expect(() => decideOrder('placed', 'cancel', { ...orderTable, placed: {} })).toThrow(ImpossibleInput);
  });
});

describe('evolveOrder', () => {
  it('when an event cannot follow, it throws', () => {
    expect(() => evolveOrder('placed', 'shipped')).toThrow(ImpossibleInput);
    expect(() => evolveOrder('shipped', 'cancelled')).toThrow(ImpossibleInput);
  });
});

describe('what a state means', () => {
  it('when an order is being cancelled, clients do not see what it waits for', () => {
    expect(orderStatus('cancelling-shipment')).toBe('cancelling');
    expect(orderStatus('cancelling-payment')).toBe('cancelling');
    expect(orderStatus('payment-failed')).toBe('payment-failed');
  });

  it('when an order has ended, it has no deadline, and only then', () => {
    const states = Object.keys(orderTable).filter((state) => state !== 'none') as OrderState[];

    expect(states.filter(isTerminal).sort()).toEqual(['cancelled', 'payment-failed', 'rejected', 'shipped']);
    expect(states.filter((state) => deadlineFor(state) === undefined)).toEqual(states.filter(isTerminal));
  });
});
