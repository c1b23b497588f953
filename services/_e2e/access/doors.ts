import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Method } from '../../_chassis/contract.ts';
import { DependencyError } from '../../_chassis/errors.ts';
import { appToken } from '../../_chassis/test-support/service.ts';
import type { Route } from '../../gateway/route.ts';
import { openDoor, type Door } from './door.ts';
import { forge } from './forgeries.ts';
import { parameterOf, refusalOf, table, thingsOf, tokensOf } from './probes.ts';
import { recipes } from './recipes.ts';
import { forAll, send } from './send.ts';
import type { Shop } from './shop.ts';
import { requestOf } from './walk.ts';
import { callers, leaks, nobody, type Caller } from './world.ts';

/** A method as the gateway asks it for one of its routes. */
interface Asked {
  readonly service: string;
  readonly method: string;
  /** The route's name. */
  readonly name: string;
  readonly route: Route;
  readonly request: Readonly<Record<string, unknown>>;
}

const object = z.record(z.string(), z.unknown());
const kinded = z.looseObject({ kind: z.string() });

/** Has an admin use each route once, to see what the gateway asks of whom. */
async function askedFor(shop: Shop, names: readonly string[]): Promise<Asked[]> {
  const authorization = `Bearer ${forge(shop.keys.privateKey).good}`;
  const found: Asked[] = [];
  for (const name of names) {
    const { route, sent } = requestOf(name);
    const requestId = `ask-${name}`;
    await send(shop.port, { ...sent, headers: { ...sent.headers, authorization, 'x-request-id': requestId } });
    const last = shop.takeAsked(requestId).at(-1);
    const [service = '', method = ''] = last?.split('.') ?? [];
    if (last !== undefined) found.push({ service, method, name, route, request: object.parse(shop.lastRequest(last)) });
  }
  return found;
}

/** Asks each service itself, as its sidecar would, and gives what it should not have answered, a line each. */
export async function tryDoors(shop: Shop, names: readonly string[]): Promise<string[]> {
  const asked = await askedFor(shop, names);
  const tokens = await tokensOf(shop);
  const { refused, narrow } = forge(shop.keys.privateKey);
  const forged = refused.flatMap(({ authorization }) =>
    typeof authorization === 'string' && /^[\x20-\x7e]*$/.test(authorization) ? [authorization] : [],
  );
  const wrong: string[] = [];

  async function answerOf(door: Door, one: Asked, request: unknown, headers: Record<string, string>): Promise<string> {
    const all = { 'dapr-caller-app-id': 'gateway', 'idempotency-key': randomUUID(), ...headers };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
    try {
      if (!methodOf(shop, one).streams) return JSON.stringify(await door.call(one.method, request, given));
      const over = new AbortController();
      for await (const first of door.stream(one.method, request, { signal: over.signal }, given)) {
        over.abort();
        return JSON.stringify(first);
      }
      return '{"kind":"nothing"}';
    } catch (error) {
      if (error instanceof DependencyError) return '{"kind":"refused"}';
      throw error;
    }
  }

  await forAll(asked, 4, async (one) => {
    const { service, method, name, route, request } = one;
    const part = shop.parts.get(service);
    if (!part) throw new Error(`no ${service} to ask`);
    const wanted = async (what: string, kinds: readonly string[], text: string, caller: Caller = nobody) => {
      const { kind } = kinded.parse(JSON.parse(text));
      if (kinds.length > 0 && !kinds.includes(kind))
        wrong.push(`${service}.${method}, ${what}: ${kind} in place of ${kinds.join(' or ')}`);
      for (const leak of leaks(caller, text)) wrong.push(`${service}.${method}, ${what}: leaks ${leak}`);
    };
    const admin = { authorization: tokens.get(callers.find(({ roles }) => roles.includes('admin')) ?? nobody) ?? '' };

    for (const token of ['', 'another', appToken.slice(1), appToken.toUpperCase()]) {
      const door = openDoor(part.contract, part.running.port, token);
      await wanted(`app token ${token}`, ['refused'], await answerOf(door, one, request, admin));
      door.close();
    }
    for (const caller of ['', 'orders', 'bank', 'GATEWAY', 'gateway, orders', 'gatewa'])
      await wanted(
        `called by ${caller}`,
        ['refused'],
        await answerOf(part.door, one, request, { ...admin, 'dapr-caller-app-id': caller }),
      );
    for (const authorization of forged)
      await wanted(
        `token ${authorization}`,
        ['unauthenticated'],
        await answerOf(part.door, one, request, { authorization }),
      );

    for (const { name: what, authorization } of narrow(methodOf(shop, one).reads))
      await wanted(what, ['forbidden'], await answerOf(part.door, one, request, { authorization }));

    for (const caller of callers) {
      const authorization = tokens.get(caller) ?? '';
      const refusal = refusalOf(route, caller);
      for (const { id, what, isThere, request: about } of aboutEach(one, caller)) {
        const own = recipes[name]?.refuses?.(caller, id) ?? [];
        const refusals = refusal === undefined ? own : [refusal];
        const missing = !isThere && canBeMissing(shop, one) ? ['not-found'] : [];
        const kinds = refusals.length > 0 ? refusals.map((status) => kindOf[status] ?? '') : [...missing];
        // An id that can be none is refused as such, to whoever sends it.
        if (!isThere && kinds.length > 0 && !/^[\w.-]+$/.test(id)) kinds.push('refused');
        await wanted(
          `${caller.name}, ${what}`,
          kinds,
          await answerOf(part.door, one, about, { authorization }),
          caller,
        );
      }
    }
  });
  return wrong;
}

/** A refusal's kind, by the status that the gateway makes of it. */
const kindOf: Readonly<Record<number, string>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  409: 'last-admin',
};

/** The request about each thing that it can name, or as it is where it names none. */
function aboutEach({ name, request }: Asked, caller: Caller) {
  const own = object.parse(
    JSON.parse(JSON.stringify(request).replaceAll(/-main-shop-zz/g, `-${caller.tenant}-shop-zz`)),
  );
  const named = parameterOf(name);
  return thingsOf(name).flatMap((thing) => {
    if (!thing || named === undefined) return [{ id: '', what: 'no id', isThere: true, request: own }];
    const { id, what } = thing;
    const isThere = thing.isThereFor(caller);
    // What others may have taken away is nothing to be sure of.
    return isThere === undefined ? [] : [{ id, what, isThere, request: { ...own, [named]: id } }];
  });
}

const methodOf = (shop: Shop, { service, method }: Asked): Method => {
  const found = shop.parts.get(service)?.contract.methods[method];
  if (!found) throw new Error(`${service} has no ${method}`);
  return found;
};

const canBeMissing = (shop: Shop, asked: Asked): boolean =>
  methodOf(shop, asked).response.safeParse({ kind: 'not-found' }).success;

/** The methods that only other services may ask, and everything that each contract lists: nobody else gets an answer. */
export async function tryStrangers(shop: Shop): Promise<string[]> {
  const samples: Record<string, object> = {
    listEvents: { topic: 'orders.events', after: '0:0', limit: 10 },
    readEvents: { ids: ['none'] },
    getHealth: {},
  };
  const wrong: string[] = [];
  for (const [service, { contract, door }] of shop.parts)
    for (const [name, { callers: listed }] of Object.entries(contract.methods))
      for (const caller of ['gateway', 'orders', 'inventory', 'bank', 'users', 'stranger', service]) {
        const request = samples[name];
        if (!request || listed.includes(caller)) continue;
        const answer = await door.call(name, request, { 'dapr-caller-app-id': caller }).catch((error: unknown) => {
          if (!(error instanceof DependencyError)) throw error;
        });
        if (answer !== undefined) wrong.push(`${service}.${name} answered ${caller}`);
      }
  return wrong;
}

/** Every route by which a service can be asked. */
export const askingRoutes = Object.keys(table).filter((name) => table[name]?.path.startsWith('/api/'));
