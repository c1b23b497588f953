/** Whose token is sent; `forged` is one that does not hold. */
export type Who = 'customer' | 'staff' | 'warehouse' | 'forged';

/** A request that must be refused with a problem, told from any fault of ours by its status and code. */
export interface BadRequest {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly token?: Who | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly expect: number;
  readonly code: string;
  /** The one method that has to be asked before it can be refused. */
  readonly asks?: string;
}

const json = { 'content-type': 'application/json' };
const keyed = { ...json, 'idempotency-key': 'bad-input' };
const order = { items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' };
const orderText = JSON.stringify(order);

const get = (name: string, path: string, expect: number, code: string, more: Partial<BadRequest> = {}): BadRequest => ({
  name,
  method: 'GET',
  path,
  expect,
  code,
  ...more,
});
const place = (
  name: string,
  body: string,
  expect: number,
  code: string,
  more: Partial<BadRequest> = {},
): BadRequest => ({
  ...{ name: `order: ${name}`, method: 'POST', path: '/api/orders', token: 'customer', headers: keyed },
  ...{ body, expect, code, ...more },
});
const badOrder = (name: string, change: object) =>
  place(name, JSON.stringify({ ...order, ...change }), 400, 'bad-body');
const badItem = (name: string, item: object) => badOrder(name, { items: [{ productId: '1', quantity: 1, ...item }] });
const raw = (body: string) => orderText.replace('"quantity":1', `"quantity":${body}`);
const product = (name: string, body: object, more: Partial<BadRequest> = {}): BadRequest => ({
  ...{ name: `product: ${name}`, method: 'POST', path: '/api/products', token: 'staff', headers: json },
  ...{ body: JSON.stringify(body), expect: 400, code: 'bad-body', ...more },
});
const good = { name: 'Lamp', category: 'home', price: { amount: 100, currency: 'EUR' } };
const count = (name: string, path: string, body: object): BadRequest => ({
  ...{ name: `stock: ${name}`, method: 'POST', path: `/api/inventory/1/${path}`, token: 'warehouse', headers: json },
  ...{ body: JSON.stringify(body), expect: 400, code: 'bad-body' },
});

const paths = [
  get('unknown path', '/api/nothing', 404, 'not-found'),
  get('unknown path with a token', '/api/nothing', 404, 'not-found', { token: 'customer' }),
  get('unknown path with a forged token', '/api/nothing', 404, 'not-found', { token: 'forged' }),
  get('a path in capitals', '/API/products', 404, 'not-found'),
  get('a slash too many', '/api/products/', 404, 'not-found'),
  get('a path below a product', '/api/products/1/reviews', 404, 'not-found'),
  get('a path of the chassis', '/dapr/subscribe', 404, 'not-found'),
  get('a method of a service', '/getProduct', 404, 'not-found', { method: 'POST', headers: json, body: '{}' }),
  get('broken percent-encoding', '/api/products/%zz', 400, 'bad-request'),
  get('percent-encoding that is not UTF-8', '/api/products/%ff', 400, 'bad-request'),
  get('broken percent-encoding on an unknown path', '/%', 400, 'bad-request'),
  get('broken percent-encoding in the query', '/api/products?query=%e2%82', 400, 'bad-request'),
  get('NUL in an id', '/api/products/%00', 404, 'not-found'),
  get('a line break in an id', '/api/orders/1%0a2', 404, 'not-found', { token: 'customer' }),
  get('an id of 65 characters', `/api/products/${'x'.repeat(65)}`, 404, 'not-found'),
  get('a target of 5,000 characters', `/api/products?query=${'x'.repeat(5_000)}`, 414, 'uri-too-long'),
  get('wrong method on a list', '/api/orders', 405, 'method-not-allowed', { method: 'PUT' }),
  get('wrong method with a token', '/api/products', 405, 'method-not-allowed', { method: 'DELETE', token: 'staff' }),
  get('wrong method on an item', '/api/orders/1', 405, 'method-not-allowed', { method: 'DELETE' }),
  get('wrong method on a transition', '/api/orders/1/cancellation', 405, 'method-not-allowed'),
  get('wrong method on stock', '/api/inventory/1', 405, 'method-not-allowed', { method: 'POST', body: '{}' }),
  get('wrong method on the health page', '/health', 405, 'method-not-allowed', { method: 'POST' }),
];

const queries = [
  ...['0', '101', '-1', '1.5', '1e1', '01', 'ten', '99999999999999999999', '%20', '0x10'].map((limit) =>
    get(`limit=${limit}`, `/api/products?limit=${limit}`, 400, 'bad-query'),
  ),
  get('unknown query parameter', '/api/products?page=2', 400, 'bad-query'),
  get('a token in the query', '/api/products?access_token=a.b.c', 400, 'bad-query'),
  get('nothing but a token in the query', '/api/orders?access_token=a.b.c', 401, 'unauthenticated'),
  get('query parameter __proto__', '/api/products?__proto__=1', 400, 'bad-query'),
  get('query parameter in brackets', '/api/products?query[a]=1', 400, 'bad-query'),
  get('repeated query parameter', '/api/products?limit=5&limit=5', 400, 'bad-query'),
  get('NUL in a query parameter', '/api/products?query=a%00b', 400, 'bad-query'),
  get('a query of 201 characters', `/api/products?query=${'x'.repeat(201)}`, 400, 'bad-query'),
  get('a category that can be none', '/api/products?category=Caf%C3%A9', 400, 'bad-query'),
  get('a cursor of 501 characters', `/api/products?cursor=${'x'.repeat(501)}`, 400, 'bad-query'),
  get('bad cursor of products', '/api/products?cursor=%21', 400, 'bad-cursor', { asks: 'products.listProducts' }),
  get('bad cursor of orders', '/api/orders?cursor=e30', 400, 'bad-cursor', {
    ...{ token: 'customer', asks: 'orders.listOrders' },
  }),
  get('a status that no order has', '/api/orders?status=lost', 400, 'bad-query', { token: 'customer' }),
  get('a query parameter where none is', '/api/products/1?verbose=1', 400, 'bad-query'),
];

const eventIds = ['', '-1', '1.5', '01', 'abc', '0x1', '1, 2', '9999999999', 'NaN'].map((id) =>
  get(`Last-Event-ID ${JSON.stringify(id)}`, '/api/orders/1/events', 400, 'bad-event-id', {
    headers: { 'last-event-id': id },
  }),
);
const events = [
  ...eventIds,
  get('a stream with a query', '/api/orders/1/events?after=1', 400, 'bad-query'),
  get('a stream with a forged token', '/api/orders/1/events', 401, 'unauthenticated', { token: 'forged' }),
  get('wrong method on a stream', '/api/orders/1/events', 405, 'method-not-allowed', { method: 'POST' }),
  get('a line break in the id of a stream', '/api/orders/1%0a2/events', 404, 'not-found', { token: 'customer' }),
  get('a path below a stream', '/api/orders/1/events/1', 404, 'not-found'),
];

const bearer = (name: string, authorization: string) =>
  get(`authorization: ${name}`, '/api/products', 401, 'unauthenticated', { headers: { authorization } });
const identities = [
  place('no token', orderText, 401, 'unauthenticated', { token: undefined }),
  place('forged token', orderText, 401, 'unauthenticated', { token: 'forged' }),
  place('no token and nothing else right', 'x', 401, 'unauthenticated', { token: undefined, headers: {} }),
  get('orders without a token', '/api/orders', 401, 'unauthenticated'),
  get('a public read with a forged token', '/api/products', 401, 'unauthenticated', { token: 'forged' }),
  bearer('another scheme', 'Basic dXNlcjpwYXNz'),
  bearer('not a token', 'Bearer not.a.token'),
  bearer('an unsigned token', 'Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiIzIn0.'),
  bearer('a very long one', `Bearer ${'x'.repeat(5_000)}`),
];

const key = (name: string, value: string) =>
  place(`key: ${name}`, orderText, 400, 'idempotency-key-unusable', {
    headers: { ...json, 'idempotency-key': value },
  });
const headers = [
  place('no content type', orderText, 415, 'unsupported-media-type', { headers: { 'content-type': '' } }),
  ...['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'application/json; charset=utf-16'].map(
    (type) => place(type, orderText, 415, 'unsupported-media-type', { headers: { ...keyed, 'content-type': type } }),
  ),
  place('compressed', orderText, 415, 'unsupported-media-type', { headers: { ...keyed, 'content-encoding': 'gzip' } }),
  place('no key', orderText, 400, 'idempotency-key-missing', { headers: json }),
  key('256 characters', 'k'.repeat(256)),
  key('not ASCII', 'sch\u00f6n'),
  key('quote that does not close', '"open'),
  key('a list', '"a", "b"'),
  key('quoted and empty', '""'),
  key('quoted blanks', '" "'),
  product('unusable key', good, {
    ...{ headers: { ...json, 'idempotency-key': '"' }, code: 'idempotency-key-unusable' },
  }),
];

const bodies = [
  place('no body', '', 400, 'bad-body'),
  ...['{', 'nonsense', `${orderText},`, "{'items':[]}", '{"items":[1,]}', '\u0000', orderText.slice(0, -1)].map(
    (text) => place(`bad JSON ${JSON.stringify(text.slice(-12))}`, text, 400, 'bad-json'),
  ),
  place('deep arrays', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, 400, 'bad-json'),
  place('deep objects', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`, 400, 'bad-json'),
  place('very many values', `[${'0,'.repeat(20_000)}0]`, 400, 'bad-json'),
  place('65 KiB', JSON.stringify({ ...order, note: 'x'.repeat(65 * 1_024) }), 413, 'content-too-large'),
  ...['null', '[]', '"text"', '1', 'true', '{}', '[{}]'].map((text) => place(text, text, 400, 'bad-body')),
  badOrder('unknown field', { coupon: 'FREE' }),
  badOrder('a total of his own', { total: { amount: 1, currency: 'EUR' } }),
  place('unknown field __proto__', `{"__proto__":{},${orderText.slice(1)}`, 400, 'bad-body'),
  badOrder('no items', { items: [] }),
  badOrder('items missing', { items: undefined }),
  badOrder('51 items', { items: Array.from({ length: 51 }, (_, i) => ({ productId: String(i), quantity: 1 })) }),
  badOrder('a product twice', { items: [order.items[0], order.items[0]] }),
  badOrder('payment token missing', { paymentToken: undefined }),
  badOrder('payment token with blanks', { paymentToken: 'tok ok' }),
  badOrder('payment token as a number', { paymentToken: 1 }),
  badOrder('NUL in the payment token', { paymentToken: 'tok\u0000' }),
  badItem('NUL in a product id', { productId: '1\u0000' }),
  badItem('half a character', { productId: '\ud800' }),
  badItem('empty product id', { productId: '' }),
  badItem('product id of 65 characters', { productId: 'x'.repeat(65) }),
  badItem('unknown field in an item', { price: 1 }),
  ...['0', '-1', '101', '1.5', '"1"', 'null', 'true', '[]', '1e400', '-1e999', '9007199254740993', '1e100'].map((n) =>
    place(`quantity ${n}`, raw(n), 400, 'bad-body'),
  ),
  place('quantity NaN', raw('NaN'), 400, 'bad-json'),
  place('cancellation with a body', '{"reason":"no"}', 400, 'bad-body', { path: '/api/orders/1/cancellation' }),
  place('cancellation without a key', '', 400, 'idempotency-key-missing', {
    ...{ path: '/api/orders/1/cancellation', headers: {} },
  }),
  product('no name', { ...good, name: '  ' }),
  product('NUL in the name', { ...good, name: 'La\u0000mp' }),
  product('price with a fraction', { ...good, price: { amount: 1.5, currency: 'EUR' } }),
  product('price of nothing', { ...good, price: { amount: 0, currency: 'EUR' } }),
  product('huge price', { ...good, price: { amount: 1e15, currency: 'EUR' } }),
  product('unknown field in the price', { ...good, price: { amount: 1, currency: 'EUR', tax: 1 } }),
  product('another currency', { ...good, price: { amount: 1, currency: 'USD' } }),
  product('a category in capitals', { ...good, category: 'Home' }),
  product('an id of his own', { ...good, id: '1' }),
  product('no change', {}, { method: 'PATCH', path: '/api/products/1' }),
  product('unknown change', { stock: 1 }, { method: 'PATCH', path: '/api/products/1' }),
  count('unknown warehouse', 'receipts', { warehouse: 'west', quantity: 1 }),
  count('receipt of nothing', 'receipts', { warehouse: 'north', quantity: 0 }),
  count('negative receipt', 'receipts', { warehouse: 'north', quantity: -1 }),
  count('huge receipt', 'receipts', { warehouse: 'north', quantity: 1e12 }),
  count('adjustment by nothing', 'adjustments', { warehouse: 'north', quantity: 0, reason: 'counted' }),
  count('adjustment without a reason', 'adjustments', { warehouse: 'north', quantity: 1 }),
  count('NUL in the reason', 'adjustments', { warehouse: 'north', quantity: 1, reason: '\u0000' }),
];

/** Requests that HTTP itself allows and the public API must refuse, each with exactly this status and code. */
export const badRequests: readonly BadRequest[] = [
  ...paths,
  ...queries,
  ...events,
  ...identities,
  ...headers,
  ...bodies,
];

/** Sends one of them to a gateway, with the token of whom it names. */
export function sendBad(gateway: string, bad: BadRequest, tokens: Readonly<Record<Who, string>>): Promise<Response> {
  const authorization = bad.token && { authorization: `Bearer ${tokens[bad.token]}` };
  return fetch(gateway + bad.path, {
    method: bad.method,
    headers: { ...authorization, ...bad.headers },
    body: bad.body ?? null,
  });
}
