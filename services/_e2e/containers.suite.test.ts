import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { homeAt, repository } from '../../tools/mesh/home.ts';
import { openEventStream } from './event-source.ts';
import { describeHappyOrders } from './happy-orders.ts';
import { describeHappyPeople } from './happy-people.ts';
import { openStorefront, type Storefront } from './shop.ts';

// What the profile `cicd` runs, in a container beside the mesh: the way in is the edge, as it is for everybody.
const { PUBLIC_URL: publicUrl = 'http://127.0.0.1:8080' } = process.env;
const gatewayUrl = 'http://edge:8080';
const secureUrl = 'https://edge:8443';

let shop: Storefront;
beforeAll(async () => {
  const home = await mkdtemp(join(tmpdir(), 'sidecart-'));
  await mkdir(homeAt(home).data);
  await symlink(homeAt(repository).secretsFile, homeAt(home).secretsFile);
  const close = () => rm(home, { recursive: true });
  shop = await openStorefront({ home, gatewayUrl, publicUrl, close });
  return () => shop.close();
});

// Nginx takes no NUL in a path, whatever the path is.
describeHappyOrders(() => shop, { 'NUL in an id': { expect: 400, code: 'bad-request' } });
describeHappyPeople(() => shop);

describe('the edge', () => {
  it('when an order is followed over TLS, each of its moves comes as it happens, and then the end', async () => {
    const { id } = await shop.place();
    const token = await shop.bearer('ada');
    const ca = await readFile('/run/edge/ca.pem', 'utf8');
    const stream = await openEventStream(`${secureUrl}/api/orders/${id}/events`, { token, ca });
    expect(await stream.ended).toBe('clean');
    expect(stream.events.map(({ event }) => event)).toEqual(['placed', 'reserved', 'paid', 'shipped']);
  });

  it('when a request names itself and its trace, so do the answer and who served it', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { 'x-request-id': 'mine-1', traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const answer = await fetch(`${gatewayUrl}/api/products/no-such`, { headers });
    expect([answer.status, answer.headers.get('x-request-id')]).toEqual([404, 'mine-1']);
    expect(answer.headers.get('x-served-by')).toMatch(/^gateway/);
    expect(await answer.json()).toMatchObject({ traceId });
  });
});

describe('the books, after all that', () => {
  it('when audited, are clean', async () => {
    expect(await shop.audit()).toEqual([]);
  });
});
