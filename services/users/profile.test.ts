import { describe, expect, it } from 'vitest';
import { permissions } from '../auth/contract.ts';
import {
  decideProfile,
  mayGive,
  mergePreferences,
  profileTable,
  type ProfileInput,
  type ProfileState,
} from './profile.ts';

const states = Object.keys(profileTable) as ProfileState[];
const inputs: ProfileInput[] = ['register', 'verify', 'decline', 'change', 'erase', 'expire'];

describe('decideProfile', () => {
  it('when anything comes in any state, it is expected; only a fresh id can be created', () => {
    for (const state of states) for (const input of inputs) expect(decideProfile(state, input)).toBeTypeOf('string');
    expect(decideProfile('none', 'create')).toBe('invited');
    expect(() => decideProfile('active', 'create')).toThrow('impossible');
  });

  it('when somebody is erased, nothing brings him back', () => {
    for (const input of inputs) expect(['unchanged', 'absent']).toContain(decideProfile('erased', input));
  });

  it('when registration and verification come in any order, the account is active', () => {
    const end = (...order: ProfileInput[]) =>
      order.reduce<ProfileState>((state, input) => {
        const next = decideProfile(state, input);
        return next === 'unchanged' || next === 'absent' ? state : next;
      }, 'none');
    expect(end('register', 'verify')).toBe('active');
    expect(end('verify', 'register', 'verify')).toBe('active');
  });

  it('when an invitation is declined, whoever may not see it is told what he is told of any other', () => {
    expect(decideProfile('declined', 'change')).toBe('absent');
    expect(decideProfile('declined', 'expire')).toBe(decideProfile('invited', 'expire'));
  });
});

describe('mayGive', () => {
  it('when a role brings what one has not, it may not be given', () => {
    const given = (own: string[]) =>
      ['customer', 'staff', 'warehouse', 'admin'].filter((r) => mayGive(own, r, permissions));
    expect(given(['admin'])).toEqual(['customer', 'staff', 'warehouse', 'admin']);
    expect(given(['staff'])).toEqual(['customer', 'staff']);
    expect(given(['staff', 'warehouse'])).toEqual(['customer', 'staff', 'warehouse']);
    expect(given([])).toEqual([]);
  });
});

describe('mergePreferences', () => {
  it('when a value is null, it goes; the others stay or change', () => {
    expect(mergePreferences({ a: 1, b: 2 }, { a: null, c: true })).toEqual({ b: 2, c: true });
  });
});
