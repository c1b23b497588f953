import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask, echoOf, expectProblem, generous, untilInTurn } from './edge-client.ts';
import { openTestNetwork, type TestEdge } from './test-edge.ts';

describe('the edge of the containers, when gateways come and go', () => {
  let network: Awaited<ReturnType<typeof openTestNetwork>>;
  type Gateway = Awaited<ReturnType<typeof network.startGateway>>;
  let gateways: [Gateway, Gateway];
  let edge: TestEdge;
  beforeAll(async () => {
    network = await openTestNetwork();
    edge = await network.startEdge({ EDGE_REQUESTS_PER_SECOND: '10000' });
  });
  afterAll(() => network.close());

  const get = (path: string) => ask(edge.port, path);
  /** How often gateways were asked this, all together. */
  async function timesAsked(what: string): Promise<number> {
    await untilInTurn(edge, gateways);
    const answers = [await get('/'), await get('/')];
    return answers.flatMap((answer) => echoOf(answer).seen).filter((line) => line === what).length;
  }

  it('when there is no gateway yet, answers so, and asks each in its turn once there are', async () => {
    await vi.waitFor(async () => expectProblem(await get('/'), 'dependency-unavailable'), generous);
    gateways = await Promise.all([network.startGateway(), network.startGateway()]);
    await untilInTurn(edge, gateways);
  });

  it('when a gateway fails with a request, another is asked what may be repeated, and nobody is asked again for a POST', async () => {
    const [{ name }] = gateways;
    for (let n = 0; n < 4; n++) expect((await get(`/die/${name}`)).headers['x-served-by']).toBe(gateways[1].name);
    await untilInTurn(edge, gateways);
    expectProblem(await ask(edge.port, '/die', { method: 'POST', body: '{}' }), 'dependency-unavailable');
    expect(await timesAsked('POST /die')).toBe(1);
  });

  it('when a gateway answers too late, the client hears that nobody knows what came of it', async () => {
    expectProblem(await get('/hang'), 'deadline-passed');
    expect(await timesAsked('GET /hang')).toBe(1);
  });

  it('when a gateway is killed, no request fails, and one that is made in its place is found', async () => {
    await untilInTurn(edge, gateways);
    const statuses: unknown[] = [];
    let [isAsked, enough] = [false, Infinity];
    const kill = async () => {
      await gateways[0].container.kill();
      enough = statuses.length + 150;
    };
    const askOn = async () => {
      while (statuses.length < enough) {
        statuses.push((await get('/')).status);
        if (statuses.length < 50 || isAsked) continue;
        isAsked = true;
        await kill();
      }
    };
    await Promise.all([askOn(), askOn(), askOn(), askOn()]);
    expect(new Set(statuses)).toEqual(new Set([200]));
    await untilInTurn(edge, gateways.slice(1));
    gateways = [await network.startGateway(), gateways[1]];
    await untilInTurn(edge, gateways);
  });

  it('when it is told to stop, it finishes what is in flight; when nginx dies, so does the container', async () => {
    const other = await network.startEdge();
    await untilInTurn(other, gateways);
    const slow = ask(other.port, '/slow');
    await vi.waitFor(async () => expect(await timesAsked('GET /slow')).toBe(1), generous);
    await other.container.kill({ signal: 'SIGTERM' });
    expect((await slow).status).toBe(200);
    expect(await other.container.wait()).toMatchObject({ StatusCode: 0 });

    const command = ['sh', '-c', 'kill -9 $(cat /tmp/nginx.pid)'];
    await (await edge.container.exec({ Cmd: command })).start({});
    expect(await edge.container.wait()).toMatchObject({ StatusCode: 137 });
  });
});
