import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { standardMethods, type Contract } from '../../services/_chassis/contract.ts';
import { readContracts } from '../service-contracts.ts';
import { allowedLinks, matrixRows, missing, probeOf, type Outcome } from './matrix.ts';

const event = (topic: string) => ({ type: `t.${topic}`, topic, data: z.object({}) });
const shop: Contract = {
  service: 'shop',
  proto: { file: 'shop.proto', service: 'Shop' },
  methods: standardMethods(['store']),
  events: { Sold: event('shop.events') },
};
const store: Contract = {
  service: 'store',
  methods: standardMethods([]),
  events: {},
  consumes: { shop: ['shop.events'] },
};
const links = allowedLinks([shop, store], ['gateway', 'shop', 'store']);
const came = (from: string, to: string, kind: Outcome['kind'], more: Partial<Outcome> = {}): Outcome => ({
  ...{ from, to, kind, ok: true, quiet: false, detail: '' },
  ...more,
});
const all = [
  came('gateway', 'shop', 'grpc'),
  came('gateway', 'store', 'http'),
  came('store', 'shop', 'grpc'),
  came('shop', 'store', 'events'),
];

describe('allowedLinks', () => {
  it('when contracts name callers and topics, those are links and no others', () => {
    expect(links).toEqual([
      { from: 'store', to: 'shop', kind: 'grpc' },
      { from: 'gateway', to: 'shop', kind: 'grpc' },
      { from: 'gateway', to: 'store', kind: 'http' },
      { from: 'shop', to: 'store', kind: 'events' },
    ]);
    expect(allowedLinks([shop, store], ['shop', 'store'])).not.toContainEqual(
      expect.objectContaining({ from: 'gateway' }),
    );
  });
});

describe('probeOf', () => {
  it('when a caller may read something, that is asked', () => {
    expect(probeOf(shop, 'gateway')?.method).toBe('getHealth');
    expect(probeOf(shop, 'store')).toEqual({
      method: 'listEvents',
      request: { topic: 'shop.events', after: '0:0', limit: 1 },
    });
    expect(probeOf(shop, 'bank')).toBeUndefined();
  });

  it('when it is asked for all that our own contracts allow, there is one for each', async () => {
    const contracts = await readContracts();
    const apps = ['gateway', ...contracts.map(({ service }) => service)];
    const calls = allowedLinks(contracts, apps).filter(({ kind }) => kind !== 'events');
    const without = calls.filter(({ from, to }) => {
      const contract = contracts.find(({ service }) => service === to);
      return !contract || !probeOf(contract, from);
    });
    expect(without).toEqual([]);
  });
});

describe('matrixRows', () => {
  it('when everything worked, each cell says what did', () => {
    expect(matrixRows(links, all)).toEqual([
      ['from \\ to', 'shop', 'store'],
      ['gateway', 'grpc', 'http'],
      ['shop', '', 'events'],
      ['store', 'grpc', ''],
    ]);
    expect(missing(links, all)).toEqual([]);
  });

  it('when something failed, was not tried, or was let through, its cell says no', () => {
    const some = [came('gateway', 'shop', 'grpc', { ok: false }), came('shop', 'store', 'events', { quiet: true })];
    expect(matrixRows(links, some)).toEqual([
      ['from \\ to', 'shop', 'store'],
      ['gateway', 'grpc no!', 'http no!'],
      ['shop', '', '(events)'],
      ['store', 'grpc no!', ''],
    ]);
    expect(missing(links, some)).toHaveLength(2);
    const closed = links.filter(({ from, to }) => !(from === 'gateway' && to === 'store'));
    const cellOf = (outcomes: Outcome[]) => matrixRows(closed, outcomes).find(([from]) => from === 'gateway')?.[2];
    expect(cellOf([came('gateway', 'store', 'refused')])).toBe('-');
    expect(cellOf([came('gateway', 'store', 'refused', { ok: false })])).toBe('no!');
  });
});
