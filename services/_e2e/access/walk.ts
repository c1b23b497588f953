import { forge } from './forgeries.ts';
import { bodiesOf, table, thingsOf } from './probes.ts';
import { recipes } from './recipes.ts';
import { forAll, send } from './send.ts';
import type { Shop } from './shop.ts';
import { callers, has, nobody } from './world.ts';

/** One right request of a route, but for who sends it. */
export function requestOf(name: string) {
  const route = table[name];
  const admin = callers.find((caller) => has(caller, 'roles.grant'));
  if (!route || !admin) throw new Error(`there is no route ${name}, or nobody who may everything`);
  const thing = thingsOf(name).find((one) => one?.isThereFor(nobody)) ?? thingsOf(name)[0];
  const body = bodiesOf(name, route, admin)[0];
  return {
    route,
    sent: {
      method: route.method,
      path: route.path.replace(/\{\w+\}/, encodeURIComponent(thing?.id ?? '')),
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        'idempotency-key': 'walk',
        ...recipes[name]?.headers,
      },
      body: body && JSON.stringify(body),
    },
  };
}

/** Sends every forgery to these routes, and gives what was not refused as it should be, a line each. */
export async function walk(shop: Shop, names: readonly string[]): Promise<string[]> {
  const { refused, narrow, good } = forge(shop.keys.privateKey);
  const wrong: string[] = [];
  let number = 0;
  const refuse = async (name: string, what: string, more: { headers?: object; query?: string; as?: 401 | 403 }) => {
    const { sent } = requestOf(name);
    const expected = more.as ?? 401;
    const requestId = `walk-${++number}`;
    const headers = { ...sent.headers, ...more.headers, 'x-request-id': requestId };
    const path = sent.path + (more.query ?? '');
    const { status, headers: answered } = await send(shop.port, { ...sent, path, headers });
    const asked = shop.takeAsked(requestId);
    const isProblem = answered['content-type'] === 'application/problem+json';
    const challenge = answered['www-authenticate'];
    const isChallenged = challenge?.includes(expected === 401 ? 'Bearer' : 'error="insufficient_scope"') === true;
    if (status === expected && isProblem && isChallenged && asked.length === 0) return;
    wrong.push(`${name}, ${what}: ${status} ${String(challenge)}, asked ${asked.join(', ') || 'nobody'}`);
  };
  // Auth answers by itself what is passed on to it, and looks for no token of ours there.
  const asking = names.filter((name) => !requestOf(name).route.passedOn);
  await forAll(asking, 4, async (name) => {
    for (const { name: what, authorization } of refused) await refuse(name, what, { headers: { authorization } });
    const { method, permission } = requestOf(name).route;
    for (const { name: what, authorization } of narrow(method === 'GET'))
      await refuse(name, what, { headers: { authorization }, as: 403 });
    if (permission === 'anybody') return;
    // A token is nowhere looked for but in its header.
    await refuse(name, 'no token', {});
    await refuse(name, 'a token in the query', { query: `?access_token=${good}` });
    for (const cookie of [`access_token=${good}`, `Authorization=Bearer ${good}`, `token=${good}`])
      await refuse(name, 'a token in a cookie', { headers: { cookie } });
    for (const header of ['x-authorization', 'proxy-authorization', 'x-access-token', 'dapr-api-token'])
      await refuse(name, `a token in ${header}`, { headers: { [header]: `Bearer ${good}` } });
  });
  return wrong;
}
