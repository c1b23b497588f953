import { describe, expect, it } from 'vitest';
import { isAsStated, statedFor } from './degraded.ts';
import { kindOf } from '../compose/containers.ts';
import { isRefusal, outcomeOf } from './seen.ts';

const answer = (status: number, headers: Record<string, string> = {}) => ({
  ...{ status, text: '', body: '' },
  headers: new Headers(headers),
});
const problem = { 'content-type': 'application/problem+json; charset=utf-8' };

describe('statedFor', () => {
  it('when any of the three of a service is gone, states what its absence means', () => {
    expect(statedFor('inventory-dapr')).toEqual(statedFor('inventory'));
    expect(statedFor('inventory-pod').stock).toBe('refused');
  });

  it('when nothing is stated, says so', () => {
    expect(() => statedFor('nobody')).toThrow('nothing for nobody');
  });
});

describe('isAsStated', () => {
  it('when either is stated, takes an answer and a refusal, and nothing else', () => {
    const all = ['works', 'refused', 'silent', '500'].filter((was) => isAsStated({ stated: 'either', was }));
    expect(all).toEqual(['works', 'refused']);
  });
});

describe('a refusal', () => {
  it('when it is a problem and says when to come again, is clear; else it is a failure', () => {
    expect(isRefusal(answer(503, { ...problem, 'retry-after': '1' }))).toBe(true);
    expect(outcomeOf(answer(503, problem))).toBe('failed');
    expect(outcomeOf(answer(503, { 'retry-after': '1' }))).toBe('failed');
    expect(outcomeOf(answer(500, { ...problem, 'retry-after': '1' }))).toBe('failed');
  });

  it('when there is no answer or the limit, is a failure; any other 4xx is an answer', () => {
    expect(outcomeOf(undefined)).toBe('failed');
    expect(outcomeOf(answer(429))).toBe('failed');
    expect(outcomeOf(answer(404))).toBe('ok');
  });
});

describe('kindOf', () => {
  it('when it is of three, goes by its ending, else by its name', () => {
    expect(['orders-pod', 'orders', 'orders-dapr', 'redis'].map(kindOf)).toEqual(['pod', 'app', 'sidecar', 'redis']);
  });
});
