import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import type { Book } from './books.ts';
import { checkCaches } from './caches.ts';
import { createFindings } from './findings.ts';

const row = {
  id: '1',
  name: 'Kettle',
  category: 'kitchen',
  amount: '3900',
  currency: 'EUR',
  version: 2,
  retired: false,
};
const answer = { id: '1', name: 'Kettle', category: 'kitchen', price: { amount: 3900, currency: 'EUR' }, version: 2 };
const answers: Readonly<Record<string, { status: number; body: object }>> = {
  '/api/products/1': { status: 200, body: answer },
  '/api/products/2': { status: 200, body: { ...answer, price: { amount: 3800, currency: 'EUR' }, version: 1 } },
  '/api/products/3': { status: 200, body: answer },
  '/api/products/4': { status: 404, body: {} },
  '/api/products/5': { status: 503, body: {} },
  '/api/users/1': { status: 200, body: { id: '1', name: 'Ada' } },
  '/api/users/2': { status: 200, body: { id: '2', name: 'Before' } },
  '/api/users/3': { status: 200, body: { id: '3', name: 'Gone' } },
  '/api/users/4': { status: 404, body: {} },
  '/api/users/5': { status: 200, body: { id: '5', name: 'Eve', email: 'eve@example.com' } },
};

it('when the gateway answers otherwise than the rows, names the product; what it does not answer proves nothing', async () => {
  const server = createServer((request, response) => {
    const { status, body } = answers[request.url ?? ''] ?? { status: 500, body: {} };
    response.writeHead(status, { 'x-cache': 'hit' }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const rows = ['1', '2', '3', '4', '5'].map((id) => ({ ...row, id, retired: id === '3' || id === '4' }));
  const products: Book = {
    rows: async (schema) => rows.map((found) => schema.parse(found)),
    pages: () => {
      throw new Error('not asked for');
    },
  };
  const people = { '1': 'Ada', '2': 'Ben', '3': null, '4': null, '5': 'Eve' };
  const users: Book = {
    ...products,
    rows: async (schema) => Object.entries(people).map(([id, name]) => schema.parse({ id, name })),
  };
  const findings = createFindings();
  const unread = await checkCaches(findings, { products, users }, `http://127.0.0.1:${port}`);
  server.close();

  const finding = findings.all().find(({ invariant }) => invariant === 'I15');
  expect(unread).toBe(2);
  expect(finding?.rows).toBe(18);
  expect(new Set(finding?.violations.map(({ subject, problem }) => `${subject} ${problem}`))).toEqual(
    new Set([
      'product 2 through the gateway (hit): amount is 3800, in the catalog 3900',
      'product 3 through the gateway (hit): it is retired, and still there',
      'person 2 through the gateway (hit): name is "Before", in users "Ben"',
      'person 3 through the gateway (hit): nothing may be known of him, and something is',
      'person 5 through the gateway (hit): more is told than id and name, or less',
    ]),
  );
});
