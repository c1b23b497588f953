import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { addressOf, callerOf, isNetwork, networkOf, proxyList } from './limit-caller.ts';

const from = (remoteAddress: string | undefined, forwarded?: string | string[]) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;
const nobody = proxyList([]);
const edge = proxyList(['10.0.0.0/8', '2001:db8:ffff::1']);

describe('addressOf', () => {
  it.each([
    ['is no proxy, what he says of himself is not believed', '198.51.100.7', '203.0.113.1', edge, '198.51.100.7'],
    ['comes in the clothes of IPv6, he is who he is', '::ffff:198.51.100.7', undefined, edge, '198.51.100.7'],
    ['is behind a proxy, its word counts', '10.0.0.1', '203.0.113.1', edge, '203.0.113.1'],
    ['is behind one in the clothes of IPv6', '::ffff:10.0.0.1', '203.0.113.1', edge, '203.0.113.1'],
    [
      'claims more in front of that, only the last word counts',
      '10.0.0.1',
      '1.2.3.4, 203.0.113.1',
      edge,
      '203.0.113.1',
    ],
    ['is behind two proxies, the first of them counts', '10.0.0.1', '203.0.113.1, 10.0.0.2', edge, '203.0.113.1'],
    ['is behind one on IPv6', '2001:db8:ffff::1', '2001:db8::5', edge, '2001:db8::5'],
    ['is behind one that says nothing, it is the proxy', '10.0.0.1', undefined, edge, '10.0.0.1'],
    ['is behind one that passes nonsense on, it is the proxy', '10.0.0.1', 'nonsense, unknown', edge, '10.0.0.1'],
    ['claims to be a proxy, there is nobody before him', '10.0.0.1', '10.9.9.9', edge, '10.9.9.9'],
    ['sends it where no proxy is trusted', '10.0.0.1', '203.0.113.1', nobody, '10.0.0.1'],
    ['is gone already, there is one for all of those', undefined, '203.0.113.1', edge, ''],
  ])('when a client %s', (_when, remote, forwarded, proxies, expected) => {
    expect(addressOf(from(remote, forwarded), proxies)).toBe(expected);
  });
});

describe('networkOf', () => {
  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:1:2::1', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['fe80::', 'fe80:0:0:0'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0'],
    ['1:2:3:4:5:6:192.0.2.33', '1:2:3:4'],
  ])('when it is %s, its network is %s', (address, network) => expect(networkOf(address)).toBe(network));
});

describe('callerOf', () => {
  const ada = { subject: '1', tenant: 'main', roles: [], scopes: [] };

  it('when there is a good token, it is the person, from wherever', () => {
    expect(callerOf(from('198.51.100.7'), ada, nobody)).toBe(callerOf(from('198.51.100.8'), { ...ada }, nobody));
    expect(callerOf(from('198.51.100.7'), { ...ada, tenant: 'other' }, nobody)).toBe('person other 1');
  });

  it('when there is none, or a forged one, it is the address', () => {
    expect(callerOf(from('2001:db8::1'), undefined, nobody)).toBe('address 2001:db8:0:0');
    expect(callerOf(from('2001:db8::2'), 'invalid', nobody)).toBe('address 2001:db8:0:0');
  });
});

describe('isNetwork', () => {
  it.each(['10.0.0.0/8', '127.0.0.1', '::1', '2001:db8::/32'])('when it is %s, it is one', (text) =>
    expect(isNetwork(text)).toBe(true),
  );
  it.each(['', 'localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0/8', '::1/129', '1.2.3.4/8/8', '1.2.3.4/-1'])(
    'when it is %s, it is none',
    (text) => expect(isNetwork(text)).toBe(false),
  );
});
