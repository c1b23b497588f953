import { describe, expect, it } from 'vitest';
import { ImpossibleInput } from '../_chassis/impossible.ts';
import { decideShipment, nextWork, type ShipmentInput, type ShipmentState } from './shipment.ts';

/** Plays inputs one after another; gives the last state and all that orders was told. */
function play(...inputs: ShipmentInput[]) {
  let state: ShipmentState = 'none';
  const answers: string[] = [];
  for (const input of inputs) {
    const decision = decideShipment(state, input);
    if (decision.kind === 'unchanged') continue;
    state = decision.state;
    if (decision.answer) answers.push(decision.answer);
  }
  return { state, answers };
}

const dispatched = { state: 'dispatched', answers: ['shipment.dispatched'] };
const cancelled = { state: 'cancelled', answers: ['shipment.cancelled'] };

describe('decideShipment', () => {
  it('when nobody interferes, it is picked, packed and dispatched', () => {
    expect(play('shipment.requested', 'pack', 'dispatch')).toEqual(dispatched);
  });

  it('when withdrawn before the dispatch, it never goes out', () => {
    expect(play('shipment.requested', 'shipment.withdrawn', 'pack')).toEqual(cancelled);
    expect(play('shipment.requested', 'pack', 'shipment.withdrawn', 'dispatch')).toEqual(cancelled);
  });

  it('when withdrawn after the dispatch, the dispatch is the answer', () => {
    expect(play('shipment.requested', 'pack', 'dispatch', 'shipment.withdrawn')).toEqual(dispatched);
  });

  it('when the withdrawal overtakes its request, it alone is answered', () => {
    expect(play('shipment.withdrawn', 'shipment.requested')).toEqual(cancelled);
  });

  it('when it was given up, a later withdrawal says nothing more', () => {
    expect(play('shipment.requested', 'give-up', 'shipment.withdrawn')).toEqual(cancelled);
  });

  it('when two workers do the same, it is done once', () => {
    expect(play('shipment.requested', 'pack', 'pack', 'dispatch', 'dispatch')).toEqual(dispatched);
  });

  it('when a pair is not listed, it throws', () => {
    expect(() => decideShipment('picking', 'dispatch')).toThrow(ImpossibleInput);
  });
});

describe('nextWork', () => {
  it('when there is work, it names the step that the state allows', () => {
    expect(nextWork('picking')).toBe('pack');
    expect(nextWork('packed')).toBe('dispatch');
    expect(nextWork('dispatched')).toBeUndefined();
  });
});
