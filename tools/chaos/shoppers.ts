import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uuidv7 } from '../../services/_chassis/uuid.ts';
import {
  openClientLog,
  recordingClient,
  type ClientAnswer,
  type ClientLog,
  type ClientRequest,
} from '../audit/client-log.ts';
import { secretsOfMesh } from '../compose/containers.ts';
import { insist } from '../drills/load.ts';
import { claimsOf } from '../mesh/people.ts';
import { signIn } from '../mesh/sign-in.ts';
import type { Project } from './project.ts';

export type Name = 'ada' | 'ben' | 'warehouse';
export type Ask = (request: ClientRequest) => Promise<ClientAnswer>;

/** People who use the shop through its edge, each signed in. */
export interface Shoppers {
  /** A client of that person that notes each answer in the log. */
  as(name: Name, log: ClientLog): Ask;
  /** Signs somebody in from the start; fails when that can't be done. */
  readonly signInAnew: () => Promise<void>;
}

/** How long a client waits for an answer, in milliseconds. */
export const patienceMs = 10_000;
const lifetimeMs = 10 * 60_000;

/** Signs them in; the password that they share stays in memory. */
async function openShoppers(project: Project): Promise<Shoppers> {
  const secrets = await secretsOfMesh(project.compose);
  const tokens = new Map<Name, string>();
  const entering = new Map<Name, Promise<void>>();
  const enter = (name: Name): Promise<void> => {
    const known = entering.get(name);
    if (known) return known;
    const signing = signIn(project.url, secrets, { user: name })
      .then((token) => void tokens.set(name, token))
      .finally(() => entering.delete(name));
    entering.set(name, signing);
    return signing;
  };
  const tokenOf = async (name: Name): Promise<string> => {
    const token = tokens.get(name);
    const leftMs = token === undefined ? 0 : claimsOf(token).exp * 1_000 - Date.now();
    if (leftMs < 5_000) await enter(name);
    // In the background: auth may be what is away, and the old one is good for a while.
    else if (leftMs < lifetimeMs / 2) enter(name).catch(() => undefined);
    return tokens.get(name) ?? '';
  };
  await Promise.all((['ada', 'ben', 'warehouse'] as const).map(enter));
  return {
    as(name, log) {
      const ask = recordingClient({ baseUrl: project.url, token: () => tokenOf(name), log });
      // Each on a connection of its own: one that was idle may have died with the edge.
      return (request) => ask({ timeoutMs: patienceMs, headers: { connection: 'close' }, ...request });
    },
    signInAnew: () => enter('ada'),
  };
}

/** What the shoppers buy. */
export const products: readonly string[] = Array.from({ length: 10 }, (_, n) => String(20 + n));

/** Signs the shoppers in and has the warehouse receive what they will buy. */
export async function openShop(project: Project): Promise<Shoppers> {
  const shoppers = await openShoppers(project);
  const unread = join(tmpdir(), `sidecart-chaos-${process.pid}-stock.jsonl`);
  const log = openClientLog(unread);
  await stockUp(shoppers.as('warehouse', log)).finally(() => log.close());
  await rm(unread, { force: true });
  return shoppers;
}

/**
 * Receives enough of what will be bought, for an order that is rejected would say nothing of the mesh; and looks at it once, so that
 * the cache has it, as in a shop that has been open for a while.
 */
async function stockUp(ask: Ask): Promise<void> {
  for (const product of products) {
    await ask({ path: `/api/products/${product}` });
    for (const warehouse of ['north', 'south']) {
      const body = { warehouse, quantity: 2_000 };
      const request = { path: `/api/inventory/${product}/receipts`, key: uuidv7(), body };
      const { status, text } = (await insist(ask, request, patienceMs)).answer;
      if (status !== 200) throw new Error(`stock could not be received: ${status} ${text}`);
    }
  }
}
