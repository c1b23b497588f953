import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { z } from 'zod';
import type { Database } from '../_chassis/database.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { publicKey, type PublicKey } from './contract.ts';
import type { Sealing } from './sealing.ts';
import { addKey, clearKeys, publishedKeys, type KeyTimes, type StoredKey } from './store-keys.ts';

/** The keys of one moment; `pairs` are all of them with their private halves, the one that signs first. */
export interface KeySet {
  readonly pairs: readonly JWK[];
  readonly published: readonly PublicKey[];
}

/** The signing keys, the same for every replica. */
export interface Keys {
  current(): Promise<KeySet>;
  /** Does what is due of the rotation; any replica may, and one does. */
  turn(): Promise<void>;
}

const privateHalf = z.object({ d: z.string() });
const about = ({ kid }: PublicKey) => `signing key ${kid}`;

/**
 * Signing keys from the database, remembered for `cacheMs`: well below the lead with which a key is published and the time
 * that it is kept, so a replica with an older view signs with a key that everybody still has.
 */
export function createKeys(deps: { database: Database; sealing: Sealing; times: KeyTimes; cacheMs: number }): Keys {
  const { database, sealing, times } = deps;
  let known: { set: Promise<KeySet>; until: number } | undefined;

  async function newKey(): Promise<StoredKey> {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const named = { kid: uuidv7(), alg: 'ES256', use: 'sig' };
    const published = publicKey.parse({ ...(await exportJWK(pair.publicKey)), ...named });
    const { d } = privateHalf.parse(await exportJWK(pair.privateKey));
    return { publicKey: published, sealed: sealing.seal(d, about(published)) };
  }

  async function turn(): Promise<void> {
    await database.across.transaction(async (tx) => {
      if (await clearKeys(tx, times)) addKey(tx, await newKey(), times);
    });
  }

  async function load(): Promise<KeySet> {
    let stored = await publishedKeys(database.across);
    if (stored.length === 0) {
      await turn();
      stored = await publishedKeys(database.across);
    }
    return {
      published: stored.map((key) => key.publicKey),
      pairs: stored.map((key) => ({ ...key.publicKey, d: sealing.open(key.sealed, about(key.publicKey)) })),
    };
  }

  return {
    turn,
    async current() {
      if (!known || known.until <= Date.now()) {
        const set = load();
        const loading = (known = { set, until: Date.now() + deps.cacheMs });
        set.catch(() => void (known === loading && (known = undefined)));
      }
      return known.set;
    },
  };
}
