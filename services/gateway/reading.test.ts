import { describe, expect, it } from 'vitest';
import { ProblemError } from '../_chassis/problem.ts';
import { checkContentType, parseJson } from './body.ts';
import { overall } from './health.ts';
import { readKey } from './idempotency-key.ts';
import { renderOrder, unknownItems } from './orders.ts';
import { renderPage } from './parts.ts';
import { readId } from './query.ts';
import { problemOfClientError } from './server.ts';

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof ProblemError) return error.problem.code;
    throw error;
  }
  return 'fine';
};
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

describe('parseJson', () => {
  it('when it is nested 20 levels, it is read, and one more is refused', () => {
    expect(parseJson(bytes(nested(20)))).toEqual(nested(20));
    expect(codeOf(() => parseJson(bytes(nested(21))))).toBe('bad-json');
  });
  it('when it holds 2,000 values, it is read, and one more is refused', () => {
    expect(codeOf(() => parseJson(bytes(Array(1_999).fill(0))))).toBe('fine');
    expect(codeOf(() => parseJson(bytes(Array(2_000).fill(0))))).toBe('bad-json');
  });
  it('when a name has NUL in it, or is __proto__, it is refused', () => {
    expect(codeOf(() => parseJson(bytes({ 'a\0': 1 })))).toBe('bad-body');
    expect(codeOf(() => parseJson(Buffer.from('{"preferences":{"__proto__":[]}}')))).toBe('bad-body');
  });
  it('when it is empty, it is undefined', () => {
    expect(parseJson(Buffer.alloc(0))).toBeUndefined();
  });
});

describe('checkContentType', () => {
  it.each([
    ['application/json', 'fine'],
    ['Application/JSON; charset=UTF-8', 'fine'],
    ['application/json;charset="utf-8"', 'fine'],
    ['application/json; charset=latin1', 'unsupported-media-type'],
    ['text/json', 'unsupported-media-type'],
    [undefined, 'unsupported-media-type'],
  ])('when it is %s, it is %s', (type, code) => {
    expect(codeOf(() => checkContentType(type === undefined ? {} : { 'content-type': type }))).toBe(code);
  });
});

describe('readKey', () => {
  it('when it is bare or quoted, it is the same key', () => {
    expect(readKey(['8e03978e'], 'required')).toBe('8e03978e');
    expect(readKey(['"8e03978e"'], 'required')).toBe('8e03978e');
    expect(readKey(['"a \\"b\\""'], 'required')).toBe('a "b"');
    expect(readKey([`"${'k'.repeat(255)}"`], 'required')).toHaveLength(255);
  });
  it.each(['"', '"a', '"a"b', '"a";p=1', '"\\x"', '" a"', 'a\tb', 'k'.repeat(256)])(
    'when it is %j, it is refused',
    (value) => {
      expect(codeOf(() => readKey([value], 'optional'))).toBe('idempotency-key-unusable');
    },
  );
  it('when it is sent twice, it is refused', () => {
    expect(codeOf(() => readKey(['a', 'a'], 'required'))).toBe('idempotency-key-unusable');
  });
  it('when it is missing or empty, it is refused or made', () => {
    for (const values of [undefined, [''], []]) {
      expect(codeOf(() => readKey(values, 'required'))).toBe('idempotency-key-missing');
      expect(readKey(values, 'optional')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

describe('readId', () => {
  it('when no service could have made it, it does not exist', () => {
    expect(readId('x'.repeat(64), '/api/orders/{orderId}')).toHaveLength(64);
    expect(codeOf(() => readId('x'.repeat(65), '/api/orders/{orderId}'))).toBe('not-found');
    expect(codeOf(() => readId('a\u007f', '/api/orders/{orderId}'))).toBe('not-found');
  });
});

describe('rendering', () => {
  const money = { amount: 1, currency: 'EUR' };
  it('when fields come in another order or there are more, the bytes are the same', () => {
    const order = {
      ...{ history: [{ at: 't', status: 'placed', reason: undefined }], createdAt: 't', version: 1, total: money },
      ...{ items: [{ unitPrice: { currency: 'EUR', amount: 1 }, quantity: 1, name: 'n', productId: 'p' }] },
      ...{ inner: true, customerId: '1', status: 'placed', id: 'o' },
    } as unknown as Parameters<typeof renderOrder>[0];
    expect(JSON.stringify(renderOrder(order))).toBe(
      '{"id":"o","status":"placed","customerId":"1","items":[{"productId":"p","name":"n","quantity":1,' +
        '"unitPrice":{"amount":1,"currency":"EUR"}}],"total":{"amount":1,"currency":"EUR"},"version":1,' +
        '"createdAt":"t","history":[{"status":"placed","at":"t"}]}',
    );
  });
  it('when it is the last page, nextCursor is null', () => {
    expect(renderPage([], undefined)).toEqual({ items: [], nextCursor: null });
  });
  it('when products are unknown, their items are pointed at', () => {
    const items = [{ productId: 'a' }, { productId: 'b' }];
    expect(unknownItems(items, ['b'])).toEqual([{ pointer: '/items/1/productId', detail: 'unknown product' }]);
  });
  it('when one service is ill, the whole is as ill as it is vital', () => {
    const well = { status: 'healthy', latencyMs: 1 } as const;
    const ill = { status: 'unhealthy', latencyMs: 1 } as const;
    expect(overall({ orders: well, payments: well }).status).toBe('healthy');
    expect(overall({ orders: well, payments: ill }).status).toBe('degraded');
    expect(overall({ orders: ill, payments: ill }).status).toBe('unhealthy');
  });
});

describe('problemOfClientError', () => {
  const overflow = (packet: string) =>
    Object.assign(new Error(), { code: 'HPE_HEADER_OVERFLOW', rawPacket: Buffer.from(packet) });
  it('when headers overflow, it tells the target from the fields where it can', () => {
    expect(problemOfClientError(overflow(`GET /${'x'.repeat(20_000)}`)).status).toBe(414);
    expect(problemOfClientError(overflow(`GET / HTTP/1.1\r\nA: ${'x'.repeat(20_000)}`)).status).toBe(431);
    expect(problemOfClientError(overflow('x'.repeat(20_000))).status).toBe(431);
  });
});
