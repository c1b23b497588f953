import { describe, expect, it } from 'vitest';
import { decideCharge, type ChargeInput, type ChargeState } from './charge.ts';

const play = (...inputs: ChargeInput[]) =>
  inputs.reduce<ChargeState>((state, input) => decideCharge(state, input), 'none');

describe('decideCharge', () => {
  it('when a charge is repeated, it answers the same, whatever the card bears by then', () => {
    expect(play('charge (covered)', 'charge (not covered)')).toBe('captured');
    expect(play('charge (not covered)', 'charge (covered)')).toBe('declined');
  });

  it('when a key is reversed before its charge arrives, the key is burnt', () => {
    expect(play('reverse')).toBe('voided');
    expect(play('reverse', 'charge (covered)')).toBe('voided');
  });

  it('when a charge comes after its refund, it does not read as captured', () => {
    expect(play('charge (covered)', 'reverse')).toBe('refunded');
    expect(play('charge (covered)', 'reverse', 'charge (covered)')).toBe('refunded');
  });

  it('when a reversal is repeated, money goes back once', () => {
    expect(play('charge (covered)', 'reverse', 'reverse')).toBe('refunded');
  });

  it('when a declined charge is reversed, it stays declined', () => {
    expect(play('charge (not covered)', 'reverse')).toBe('declined');
  });

  it('when asked by key, it tells and changes nothing', () => {
    expect(play('get')).toBe('none');
    expect(play('charge (covered)', 'get')).toBe('captured');
  });
});
