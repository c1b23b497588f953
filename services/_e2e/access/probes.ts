import { signToken } from '../../_chassis/test-support/issuer.ts';
import { routes } from '../../gateway/contract.ts';
import type { Route } from '../../gateway/route.ts';
import { belongings, emailOf } from './people.ts';
import { recipes } from './recipes.ts';
import { forAll, send, type Answered, type Sent } from './send.ts';
import type { Shop } from './shop.ts';
import { callers, goods, has, leaks, type Caller, type Thing } from './world.ts';

/** A request of somebody's, for something that is his, another's, another tenant's, or not there. */
export interface Probe {
  readonly route: string;
  readonly caller: Caller;
  readonly thing: Thing | undefined;
  /** What else there is to it; probes that differ in nothing but the thing have the same. */
  readonly variant: string;
  readonly sent: Sent;
}

/** Every route, by its name. */
export const table: Readonly<Record<string, Route>> = routes;

/** The services that these routes ask; a stream's route names no question, and asks orders. */
export const servicesOf = (names: readonly string[]): string[] =>
  [
    ...new Set(
      names.flatMap((name) => table[name]?.question?.asks ?? ['orders.']).map((one) => one.split('.')[0] ?? ''),
    ),
  ].sort();

/** Every probe of a route: callers by things by variants. */
export function probesOf(name: string): Probe[] {
  const route = table[name];
  if (!route) throw new Error(`there is no route ${name}`);
  const recipe = recipes[name] ?? {};
  return callers.flatMap((caller) =>
    thingsOf(name).flatMap((thing) =>
      variantsOf(name, route, caller, thing).flatMap(({ variant, ...sent }): Probe[] => {
        const path = thing ? route.path.replace(/\{\w+\}/, encodeURIComponent(thing.id)) : route.path;
        const isNeeded = thing !== undefined && !(thing.isThereFor(caller) === undefined);
        const headers = { ...sent.headers, ...(isNeeded && recipe.headers) };
        return [{ route: name, caller, thing, variant, sent: { ...sent, headers, path: path + sent.path } }];
      }),
    ),
  );
}

/** What a route's path calls that which it names. */
export const parameterOf = (name: string): string | undefined => /\{(\w+)\}/.exec(table[name]?.path ?? '')?.[1];

const things: Readonly<Record<string, readonly Thing[]>> = { ...goods, ...belongings };

/** What a route's path can name; nothing where it names nothing. */
export function thingsOf(name: string): readonly (Thing | undefined)[] {
  const parameter = parameterOf(name);
  if (parameter === undefined) return [undefined];
  const known = recipes[name]?.things ?? things[parameter];
  if (!known) throw new Error(`say in world.ts or people.ts what {${parameter}} of ${name} can name, and whose it is`);
  return known;
}

/** The bodies that a route takes; one of nothing where it takes none. */
export function bodiesOf(name: string, { body }: Route, caller: Caller): readonly (object | undefined)[] {
  if (!body) return [undefined];
  const made = recipes[name]?.bodies?.(caller) ?? (body.safeParse(undefined).success ? [undefined, {}] : []);
  if (made.length === 0) throw new Error(`say in recipes.ts what a body of ${name} is`);
  return made;
}

type Variant = Sent & { readonly variant: string };

function variantsOf(name: string, route: Route, caller: Caller, thing: Thing | undefined): Variant[] {
  const queries = recipes[name]?.queries ?? [''];
  if (route.method === 'GET')
    return queries.flatMap((query) => {
      const plain = { method: 'GET', path: query === '' ? '' : `?${query}`, variant: query };
      const conditions = route.cache ? ['*', '"1.x"', 'W/"1"'] : ['*'];
      return [
        plain,
        { ...plain, method: 'HEAD', variant: `HEAD ${query}` },
        ...conditions.map((tag) => ({ ...plain, headers: { 'if-none-match': tag }, variant: `${query} ${tag}` })),
      ];
    });
  if (route.passedOn)
    return (recipes[name]?.forms ?? ['', form]).map((body, index) => ({
      method: route.method,
      path: '',
      body,
      variant: `form ${index}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }));
  return bodiesOf(name, route, caller).flatMap((body, index) => {
    const json = body && { 'content-type': 'application/json' };
    const plain = { method: route.method, path: '', body: body && JSON.stringify(body) };
    const keys = ['own', 'shared'];
    return [...keys, ...(route.condition ? ['with a condition'] : [])].map((key) => ({
      ...plain,
      variant: `body ${index}, key ${key}`,
      headers: {
        ...json,
        ...(route.condition && key === 'with a condition' && { 'if-match': '"99.x", "1.x"' }),
        // A key is its caller's, whoever else sends the same.
        'idempotency-key': key === 'shared' ? `${name} ${thing?.id ?? ''} ${index} ${key}` : crypto.randomUUID(),
      },
    }));
  });
}

/** What forms of auth's pages and OAuth's endpoints ask for, of somebody who is there and in one; no page has given it out. */
const form = new URLSearchParams({
  ...{ email: emailOf('main', '1'), password: 'a password of nobody', current: 'a password of nobody', who: '1' },
  ...{ name: 'Somebody', secret: 'guessed', form: 'guessed', token: 'guessed', code: 'guessed' },
  ...{ grant_type: 'authorization_code', client_id: 'cli', redirect_uri: 'http://127.0.0.1/callback' },
}).toString();

const ruled = [304, 409, 412, 422];

/** What the table says of who asks: the status of a refusal, before any service is asked; undefined for nobody's refusal. */
export function refusalOf({ permission }: Route, caller: Caller): 401 | 403 | undefined {
  if (permission === 'anybody') return undefined;
  if (caller.sub === undefined) return 401;
  return permission === 'signed-in' || has(caller, permission) ? undefined : 403;
}

/** Sends probes and gives what was wrong with the answers, a line each; ends when there is enough of it. */
export async function probe(shop: Shop, probes: readonly Probe[], enough = 50): Promise<string[]> {
  const wrong: string[] = [];
  const absent = new Map<string, string>();
  const madeFor = new Map<string, string>();
  const tokens = await tokensOf(shop);
  let number = 0;

  await forAll(inOrder(probes), 8, async (one) => {
    if (wrong.length >= enough) return;
    const { caller, sent, thing } = one;
    const requestId = `probe-${++number}`;
    const authorization = tokens.get(caller);
    const answered = await send(shop.port, {
      ...sent,
      headers: { ...sent.headers, ...(authorization && { authorization }), 'x-request-id': requestId },
    });
    const say = (what: string) =>
      void wrong.push(
        `${caller.name}, ${thing?.what ?? 'no id'}: ${sent.method} ${sent.path} (${one.variant}): ${what}`,
      );
    judge(one, answered, shop.takeAsked(requestId), say);

    const location = answered.headers['location'];
    if (typeof location === 'string') {
      const maker = madeFor.get(location) ?? caller.name;
      if (maker !== caller.name) say(`was given what ${maker} made, ${location}`);
      madeFor.set(location, maker);
    }
    if (answered.status !== 404 || !thing || thing.isThereFor(caller) !== false) return;
    const situation = `${one.route} ${caller.name} ${one.variant}`;
    const seen = comparable(answered);
    const known = absent.get(situation) ?? seen;
    if (known !== seen) say(`can be told from what is not there: ${seen} and ${known}`);
    absent.set(situation, known);
  });
  return wrong;
}

const endings = ['retireProduct'];

/** What may be retired is asked for last. */
const inOrder = (probes: readonly Probe[]) => [
  ...probes.filter(({ route }) => !endings.includes(route)),
  ...probes.filter(({ route }) => endings.includes(route)),
];

/** What each caller sends as authorization; nobody, nothing. */
export const tokensOf = async ({ keys }: Shop): Promise<Map<Caller, string>> =>
  new Map(
    await Promise.all(
      callers.flatMap(async (caller) => {
        const { sub, tenant, roles } = caller;
        const token = sub === undefined ? undefined : await signToken(keys.privateKey, { sub, tenant, roles });
        return [caller, token === undefined ? '' : `Bearer ${token}`] as const;
      }),
    ),
  );

function judge(one: Probe, answered: Answered, asked: readonly string[], say: (what: string) => void): void {
  const { caller, thing } = one;
  const route = table[one.route];
  if (!route) return;
  const { status, text, headers } = answered;
  for (const leak of leaks(caller, text + JSON.stringify(headers))) say(`leaks ${leak}`);
  const refusal = refusalOf(route, caller);
  if (refusal !== undefined) {
    if (status !== refusal) say(`${status} in place of ${refusal}`);
    if (asked.length > 0) say(`asked ${asked.join(', ')} first`);
    return;
  }
  const refusals = recipes[one.route]?.refuses?.(caller, thing?.id ?? '') ?? [];
  if (refusals.length > 0) {
    if (!refusals.includes(status)) say(`${status} in place of ${refusals.join(' or ')}`);
    return;
  }
  const isThere = thing ? thing.isThereFor(caller) : true;
  if (isThere === false) {
    if (status !== 404) say(`${status} in place of 404`);
    return;
  }
  if (isThere === undefined && status === 404) return;
  const fine = [...Object.keys(route.answers).map(Number), ...ruled];
  if (!fine.includes(status)) say(`${status} ${text.slice(0, 200)}`);
}

/** An answer without what differs between any two. */
function comparable({ status, headers, text }: Answered): string {
  const { date: _, 'x-request-id': __, ...rest } = headers;
  return JSON.stringify([status, rest, text.replace(/"traceId":"[0-9a-f]{32}"/, '')]);
}
