import { describe, expect, it } from 'vitest';
import { decideFieldNote, type FieldNoteDecision, type FieldNoteInput, type FieldNoteState } from './field-note.ts';

/** Plays inputs one after another; gives the last state and every refusal. */
function play(...inputs: FieldNoteInput[]) {
  let state: FieldNoteState = 'none';
  const refusals: string[] = [];
  for (const input of inputs) {
    const decision: FieldNoteDecision = decideFieldNote(state, input);
    if (decision.kind === 'moved') state = decision.state;
    if (decision.kind === 'refused') refusals.push(decision.reason);
  }
  return { state, refusals };
}

describe('decideFieldNote', () => {
  it('when the order has been shipped, one can be added', () => {
    expect(play('order.shipped', 'add')).toEqual({ state: 'added', refusals: [] });
  });

  it('when the order has not been shipped, it is refused and nothing changes', () => {
    expect(play('add')).toEqual({ state: 'none', refusals: ['not-shipped'] });
  });

  it('when there is one already, another is refused', () => {
    expect(play('order.shipped', 'add', 'add')).toEqual({ state: 'added', refusals: ['already-added'] });
  });

  it('when the order is said to be shipped once more, nothing changes', () => {
    expect(play('order.shipped', 'order.shipped')).toEqual({ state: 'awaited', refusals: [] });
    expect(play('order.shipped', 'add', 'order.shipped')).toEqual({ state: 'added', refusals: [] });
  });
});
