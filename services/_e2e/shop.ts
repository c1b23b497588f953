import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { uuidv7 } from '../_chassis/uuid.ts';
import { order, type Order } from '../orders/contract.ts';
import { audit, type AuditReport } from '../../tools/audit/audit.ts';
import { openCounter, type Counter } from '../../tools/audit/counter.ts';
import { openClientLog, recordingClient, type ClientAnswer, type ClientRequest } from '../../tools/audit/client-log.ts';
import { databasesOf } from '../../tools/connections.ts';
import { homeAt, makeTemporaryHome } from '../../tools/mesh/home.ts';
import { startMesh, type Mesh, type MeshOptions } from '../../tools/mesh/mesh.ts';
import { readSecrets } from '../../tools/mesh/secrets.ts';
import { claimsOf } from '../../tools/mesh/people.ts';
import { signIn } from '../../tools/mesh/sign-in.ts';
import { openSigner } from './signer.ts';

/** Who a test can be; each is a seeded person, who signs in. */
export const people = {
  ada: { sub: '1', roles: ['customer'] },
  ben: { sub: '2', roles: ['customer'] },
  staff: { sub: '3', roles: ['staff'] },
  warehouse: { sub: '4', roles: ['warehouse'] },
  admin: { sub: '5', roles: ['admin'] },
} as const;
export type Person = keyof typeof people;

export type Ask = (request: ClientRequest) => Promise<ClientAnswer>;

/** A mesh on real parts, however it was started, used through its gateway alone; every answer is noted for the audit. */
export interface Storefront {
  readonly gatewayUrl: string;
  readonly clientLog: string;
  /** A client of that person, or of nobody; `gateway` chooses a replica. */
  as(person?: Person, gateway?: number): Ask;
  /** A client of a made-up customer, whom nobody knows: his token is signed here (signer.ts). */
  customer(sub: string, gateway?: number): Promise<Ask>;
  /** Places an order of product 1 and expects it to be acknowledged. */
  place(options?: PlaceOptions): Promise<Order>;
  get(orderId: string): Promise<Order>;
  /** Waits until the order has one of these statuses, and gives it. */
  until(orderId: string, ...statuses: Order['status'][]): Promise<Order>;
  /** The `Authorization` header of that person. */
  bearer(person: Person): Promise<string>;
  /** The `Authorization` header of a made-up person. */
  bearerOf(claims: { sub: string; roles: readonly string[] }): Promise<string>;
  /** Waits until nothing is under way and checks all the books. */
  inspect(): Promise<AuditReport>;
  /** The same; one line for each violation. */
  audit(): Promise<string[]>;
  close(): Promise<void>;
}

/** A shop on the launcher, in a temporary home, in whose mesh a test can interfere. */
export interface Shop extends Storefront {
  readonly mesh: Mesh;
  /** Stops the whole mesh and starts it again on its data, as the project's files are now. */
  restart(): Promise<void>;
}

export interface PlaceOptions {
  readonly items?: readonly { productId: string; quantity: number }[];
  readonly paymentToken?: string;
  readonly key?: string;
  readonly person?: Person;
}

/** Where an order can end. */
export const ends: readonly Order['status'][] = ['shipped', 'rejected', 'payment-failed', 'cancelled'];

interface Findings {
  readonly findings: readonly {
    readonly invariant: string;
    readonly violations: readonly { readonly subject: string; readonly problem: string }[];
  }[];
}

/** What an audit found wrong, one line each. */
export const violationsOf = ({ findings }: Findings): string[] =>
  findings.flatMap(({ invariant, violations }) =>
    violations.map(({ subject, problem }) => `${invariant} ${subject}: ${problem}`),
  );

/** With less than this left, in milliseconds, a person signs in again: a token lives 10 minutes, a shop for hours. */
const renewalMs = 4 * 60_000;

/** Starts a shop; everything is gone again after `close`, but for a start that failed, whose logs stay. */
export async function openShop(
  options: Pick<MeshOptions, 'root' | 'env' | 'replicas' | 'appPorts' | 'readyTimeoutMs' | 'signal'> = {},
): Promise<Shop> {
  const home = await makeTemporaryHome();
  let mesh = await startMesh({ home, ...options });
  const close = async () => {
    await mesh.stop();
    await rm(home, { recursive: true, force: true });
  };
  return {
    ...(await openStorefront({ home, gatewayUrl: mesh.gatewayUrl, close })),
    get mesh() {
      return mesh;
    },
    async restart() {
      await mesh.stop();
      mesh = await startMesh({ home, ...options });
    },
  };
}

/**
 * Comes again when told to, ten times at most: many that are waited for at once may be more than one person may ask, and a busy
 * machine may not answer in time.
 */
async function patiently(ask: () => Promise<ClientAnswer>): Promise<ClientAnswer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    if ((answer.status !== 429 && answer.status !== 503) || tries === 10) return answer;
    await delay(Number(answer.headers.get('retry-after') ?? 1) * 1_000);
  }
}

/**
 * The storefront of the mesh whose secrets are in this home; closing it ends with `close`. `publicUrl` is what the mesh calls
 * itself, where that is not how it is reached from here.
 */
export async function openStorefront(mesh: {
  home: string;
  gatewayUrl: string;
  publicUrl?: string;
  close: () => Promise<void>;
}): Promise<Storefront> {
  const { home, gatewayUrl } = mesh;
  const secrets = (await readSecrets(homeAt(home).secretsFile)) ?? {};
  const tokens = new Map<Person, Promise<string>>();
  const enter = (person: Person) => {
    const { sub: user, roles } = people[person];
    const entering = signIn(gatewayUrl, secrets, { user, roles });
    tokens.set(person, entering);
    return entering;
  };
  const tokenOf = async (person: Person): Promise<string> => {
    const token = await (tokens.get(person) ?? enter(person));
    const leftMs = claimsOf(token).exp * 1_000 - Date.now();
    if (leftMs > renewalMs) return token;
    // Auth may be what a test has taken away.
    return enter(person).catch((error: unknown) => {
      if (leftMs < 10_000) throw error;
      tokens.set(person, Promise.resolve(token));
      return token;
    });
  };
  await Promise.all((Object.keys(people) as Person[]).map(tokenOf));
  // Whom auth has signed in, it has signed for: now it has a key for certain.
  const sign = await openSigner(home, mesh.publicUrl ?? gatewayUrl);
  const clientLog = join(home, 'clients.jsonl');
  const log = openClientLog(clientLog);

  const client = (token: (() => Promise<string>) | undefined, gateway = 0) => {
    const url = new URL(gatewayUrl);
    url.port = String(Number(url.port) + 100 * gateway);
    return recordingClient({ baseUrl: url.origin, log, ...(token !== undefined && { token }) });
  };
  const as: Shop['as'] = (person, gateway) => client(person && (() => tokenOf(person)), gateway);

  let counter: Counter | undefined;

  const shop: Storefront = {
    gatewayUrl,
    bearer: async (person) => `Bearer ${await tokenOf(person)}`,
    bearerOf: async (claims) => `Bearer ${await sign(claims)}`,
    async inspect() {
      const databases = await databasesOf(home);
      await log.written();
      counter ??= await openCounter(databases.orders);
      const { count } = counter;
      return audit({
        databases,
        clientLog,
        counters: count,
        gateway: gatewayUrl,
        drainTimeoutMs: 90_000,
      });
    },
    audit: async () => violationsOf(await shop.inspect()),
    clientLog,
    as,
    async customer(sub, gateway) {
      const token = await sign({ sub, roles: ['customer'] });
      return client(async () => token, gateway);
    },
    async place({
      items = [{ productId: '1', quantity: 1 }],
      paymentToken = 'tok_ok',
      key = uuidv7(),
      person = 'ada',
    } = {}) {
      const answer = await patiently(() => as(person)({ path: '/api/orders', key, body: { items, paymentToken } }));
      if (answer.status !== 201) throw new Error(`placing an order was answered ${answer.status}: ${answer.text}`);
      return order.parse(answer.body);
    },
    async get(orderId) {
      const answer = await patiently(() => as('staff')({ path: `/api/orders/${orderId}` }));
      if (answer.status !== 200) throw new Error(`order ${orderId} was answered ${answer.status}: ${answer.text}`);
      return order.parse(answer.body);
    },
    async until(orderId, ...statuses) {
      const limit = Date.now() + 60_000;
      for (;;) {
        const found = await shop.get(orderId);
        if (statuses.includes(found.status)) return found;
        if (Date.now() > limit || ends.includes(found.status)) {
          throw new Error(
            `order ${orderId} is ${found.status}, not ${statuses.join(' or ')}: ${JSON.stringify(found.history)}`,
          );
        }
        await delay(50);
      }
    },
    async close() {
      await counter?.close();
      await mesh.close();
      // Last, for until then there may be answers to note.
      await log.close();
    },
  };
  return shop;
}
