import { describe, expect, it } from 'vitest';
import { ImpossibleInput } from '../_chassis/impossible.ts';
import { bankQuestion, bankTry, decidePayment, type PaymentInput, type PaymentState } from './payment.ts';

/** Plays inputs one after another; gives the last state and all that orders was told. */
function play(...inputs: PaymentInput[]) {
  let state: PaymentState = 'none';
  const answers: string[] = [];
  for (const input of inputs) {
    const decision = decidePayment(state, input);
    if (decision.kind === 'unchanged') continue;
    state = decision.state;
    const { answer } = decision;
    if (answer) answers.push(answer.kind === 'payment.reversed' ? `reversed ${answer.outcome}` : answer.kind);
  }
  return { state, answers };
}

const sent = ['payment.requested', 'lease'] as const;

describe('decidePayment', () => {
  it('when the bank captures or declines, orders is told', () => {
    expect(play(...sent, 'charge.captured')).toEqual({ state: 'captured', answers: ['payment.captured'] });
    expect(play(...sent, 'charge.declined')).toEqual({ state: 'declined', answers: ['payment.declined'] });
  });

  it('when the outcome is unknown, it stays unknown', () => {
    expect(play(...sent, 'charge.unknown', 'lease', 'charge.unknown')).toEqual({ state: 'charging-sent', answers: [] });
  });

  it('when withdrawn before it was sent, the bank is not asked', () => {
    const { state, answers } = play('payment.requested', 'payment.withdrawn');

    expect({ state, answers }).toEqual({ state: 'voided', answers: ['reversed voided'] });
    expect(bankQuestion(state)).toBeUndefined();
  });

  it('when withdrawn after it was sent, only the bank can say what becomes of the money', () => {
    const { state, answers } = play(...sent, 'payment.withdrawn');

    expect({ state, answers }).toEqual({ state: 'reversing', answers: [] });
    expect(bankQuestion(state)).toBe('reverse');
    expect(play(...sent, 'payment.withdrawn', 'reverse.voided').answers).toEqual(['reversed voided']);
    expect(play(...sent, 'payment.withdrawn', 'reverse.refunded').answers).toEqual(['reversed refunded']);
    expect(play(...sent, 'payment.withdrawn', 'reverse.declined').answers).toEqual(['reversed declined']);
  });

  it('when withdrawn after the decline, the decline is the answer', () => {
    expect(play(...sent, 'charge.declined', 'payment.withdrawn').answers).toEqual(['payment.declined']);
  });

  it('when the withdrawal overtakes its request, it alone is answered', () => {
    expect(play('payment.withdrawn', 'payment.requested')).toEqual({ state: 'voided', answers: ['reversed voided'] });
  });

  it('when an answer comes to a question that is no longer asked, it changes nothing', () => {
    expect(play(...sent, 'payment.withdrawn', 'charge.captured').state).toBe('reversing');
    expect(play(...sent, 'payment.withdrawn', 'reverse.refunded', 'charge.captured')).toEqual({
      state: 'refunded',
      answers: ['reversed refunded'],
    });
  });

  it('when a charge that is still wanted turns out to be reversed, it throws', () => {
    expect(() => decidePayment('charging-sent', 'charge.voided')).toThrow(ImpossibleInput);
  });
});

describe('bankTry', () => {
  it.each(['charge', 'reverse'] as const)(
    'when a %s is tried again, it asks by key before it repeats the POST',
    (question) => {
      expect(bankTry(question, 'first')).toBe('post');
      expect(bankTry(question, 'again')).toBe('get');
      expect(bankTry(question, 'none')).toBe('post');
    },
  );

  it('when the bank says captured, a charge is done and a reversal is not', () => {
    expect(bankTry('charge', 'captured')).toBe('captured');
    expect(bankTry('reverse', 'captured')).toBe('post');
  });
});
