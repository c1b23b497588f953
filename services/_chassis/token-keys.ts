import { importJWK } from 'jose';
import { z } from 'zod';
import type { Connect } from './client.ts';
import { withoutContext } from './context.ts';
import type { Contract } from './contract.ts';
import { DependencyError } from './errors.ts';

/** The public keys that access tokens are signed with, by `kid`. */
export interface TokenKeys {
  /** The key, undefined where it is nobody's; throws DependencyError where nobody can say. */
  find(kid: string): Promise<TokenKey | undefined>;
}

/** A public key as jose takes it. */
export type TokenKey = Awaited<ReturnType<typeof importJWK>>;

/** The part of a published key that is read; what is no P-256 key signs no access token. */
const listedKey = z.object({
  kid: z.string().min(1).max(128),
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
});

/** What a service that publishes its keys is asked. */
const keysContract = {
  service: 'auth',
  methods: {
    listKeys: {
      request: z.object({}),
      response: z.object({ kind: z.literal('keys'), keys: z.array(z.record(z.string(), z.unknown())).max(100) }),
      reads: true,
      callers: [],
    },
  },
  events: {},
} as const satisfies Contract;

const askMs = 1_500;
const pauseMs = 1_000;
const freshMs = 60_000;
const goneMs = 11 * 60_000;

/**
 * Keys as a list names them, kept in this process: a `kid` that is not there has the list asked for again, by one asker and
 * at most once a second; one that is older than a minute is asked for beside the work. A key that has left the list counts
 * until the tokens of its last moment have expired (10 minutes).
 */
export function createTokenKeys(list: () => Promise<readonly unknown[]>, clock: () => number = Date.now): TokenKeys {
  const known = new Map<string, { key: TokenKey; until: number }>();
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  let failure: DependencyError | undefined;

  async function ask(): Promise<void> {
    try {
      await take(await withoutContext(list)); // its answer is everybody's, so no single call's deadline ends it
      failure = undefined;
    } catch (error) {
      failure = error instanceof DependencyError ? error : new DependencyError('auth', 'failed', { cause: error });
    } finally {
      askedAt = clock();
      asking = undefined;
    }
  }

  async function take(listed: readonly unknown[]): Promise<void> {
    const until = clock() + goneMs;
    for (const one of known.values()) one.until = Math.min(one.until, until);
    for (const raw of listed) {
      const { success, data } = listedKey.safeParse(raw);
      if (!success) continue;
      const { kid, ...jwk } = data;
      const key = known.get(kid)?.key ?? (await importJWK(jwk, 'ES256'));
      known.set(kid, { key, until: Number.POSITIVE_INFINITY });
    }
    for (const [kid, one] of known) if (one.until <= clock()) known.delete(kid);
  }

  const held = (kid: string) => {
    const one = known.get(kid);
    return one && one.until > clock() ? one.key : undefined;
  };

  return {
    async find(kid) {
      const age = clock() - askedAt;
      const key = held(kid);
      if (key) {
        if (age > freshMs) asking ??= ask();
        return key;
      }
      if (age >= pauseMs || asking) await (asking ??= ask());
      const found = held(kid);
      if (!found && failure) throw failure;
      return found;
    },
  };
}

/** The keys of the mesh's issuer, asked through the sidecar. */
export function meshKeys(connect: Connect): TokenKeys {
  const issuer = connect(keysContract);
  return createTokenKeys(async () => {
    const answer = await issuer.listKeys({}, { timeoutMs: askMs });
    if (answer.kind === 'keys') return answer.keys;
    throw new DependencyError(keysContract.service, 'failed', { detail: answer.kind });
  });
}
