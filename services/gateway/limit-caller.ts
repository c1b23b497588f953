import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../_chassis/identity.ts';

/** Addresses and networks (`10.0.0.0/8`) whose word about whom they speak for is taken. */
export function proxyList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

/** Whether a text is an address or a network. */
export function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...more] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}

/** Whose budget a request is taken from: a person's of a tenant, whatever token he uses, or a stranger's by his address. */
export function callerOf(request: IncomingMessage, principal: Principal | undefined | 'invalid', proxies: BlockList) {
  if (principal !== undefined && principal !== 'invalid') return `person ${principal.tenant} ${principal.subject}`;
  return `address ${networkOf(addressOf(request, proxies))}`;
}

/**
 * Where a request comes from: its socket's other end, or, as far as that is a trusted proxy, what the proxies say. They
 * add to the right of X-Forwarded-For; what stands left of the first address that is none of theirs is only claimed.
 */
export function addressOf({ socket, headers }: IncomingMessage, proxies: BlockList): string {
  let address = plain(socket.remoteAddress ?? '');
  const hops = isTrusted(address, proxies) ? [headers['x-forwarded-for'] ?? []].flat().join(',').split(',') : [];
  for (let hop = hops.pop(); hop !== undefined && isTrusted(address, proxies); hop = hops.pop()) {
    const said = plain(hop.trim());
    if (isIP(said) === 0) break;
    address = said;
  }
  return address;
}

const isTrusted = (address: string, proxies: BlockList): boolean =>
  isIP(address) !== 0 && proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Without a zone; an IPv4 address in IPv6's clothes is one. */
const plain = (address: string): string => address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

/** An IPv4 address itself, an IPv6 address's first 64 bits: one household has all of the other 64. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [left = '', right] = address.replace(/\d+\.\d+\.\d+\.\d+$/, '0:0').split('::');
  const [head, tail] = [left, right ?? ''].map((part) => part.split(':').filter(Boolean)) as [string[], string[]];
  const gap = right === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array.from({ length: gap }, () => '0'), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
