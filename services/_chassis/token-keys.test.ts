import { describe, expect, it } from 'vitest';
import { clientOver, type Connect } from './client.ts';
import { DependencyError } from './errors.ts';
import { createAuthenticate } from './identity.ts';
import { generateSigningKey, signToken, testIssuer } from './test-support/issuer.ts';
import { createTokenKeys, meshKeys } from './token-keys.ts';

const minute = 60_000;

/** A list of keys that a test changes, and how often it was asked for. */
function issuer() {
  const state = { at: 1_000_000, asked: 0, away: false, listed: [] as unknown[], late: Promise.resolve() };
  const list = async () => {
    state.asked += 1;
    await state.late;
    if (state.away) throw new DependencyError('auth', 'unreachable');
    return state.listed;
  };
  const publish = async () => {
    const { privateKey } = await generateSigningKey();
    const { d: _secret, ...jwk } = privateKey;
    return { privateKey, jwk, kid: privateKey.kid ?? '' };
  };
  return { state, keys: createTokenKeys(list, () => state.at), publish };
}

describe('the keys of tokens', () => {
  it('when one is known, nobody is asked for it again until the list is a minute old, and then beside the work', async () => {
    const { state, keys, publish } = issuer();
    const { jwk, kid } = await publish();
    state.listed = [jwk];
    const key = await keys.find(kid);
    expect(key).toBeDefined();
    state.at += minute;
    expect(await keys.find(kid)).toBe(key);
    expect(state.asked).toBe(1);
    state.at += 1;
    state.late = new Promise(() => undefined);
    expect(await keys.find(kid)).toBe(key);
    expect(await keys.find(kid)).toBe(key);
    expect(state.asked).toBe(2);
  });

  it('when many want one that is unknown, one asks for all; whoever comes within a second is told what that said', async () => {
    const { state, keys } = issuer();
    expect(await Promise.all(Array.from({ length: 50 }, (_, n) => keys.find(`made-up-${n}`)))).toEqual(
      Array.from({ length: 50 }),
    );
    state.at += 999;
    expect(await keys.find('another')).toBeUndefined();
    expect(state.asked).toBe(1);
    state.at += 1;
    expect(await keys.find('another')).toBeUndefined();
    expect(state.asked).toBe(2);
  });

  it('when the issuer rotates, tokens of both keys hold, and those of the old one until the last has expired', async () => {
    const { state, keys, publish } = issuer();
    const [old, next] = [await publish(), await publish()];
    const check = createAuthenticate({ issuer: testIssuer, keys });
    const ask = async ({ privateKey }: typeof old) =>
      check(`Bearer ${await signToken(privateKey, { sub: '1', roles: [] })}`);
    state.listed = [old.jwk];
    expect(await ask(old)).toMatchObject({ subject: '1' });
    expect(await ask(next)).toBe('invalid');
    state.listed = [old.jwk, next.jwk];
    state.at += 1_000;
    expect(await ask(next)).toMatchObject({ subject: '1' });
    state.listed = [next.jwk];
    state.at += minute + 1;
    expect(await keys.find(next.kid)).toBeDefined();
    await expect.poll(() => state.asked).toBe(3);
    state.at += 10 * minute;
    expect(await ask(old)).toMatchObject({ subject: '1' });
    state.at += minute;
    expect(await ask(old)).toBe('invalid');
    expect(await ask(next)).toMatchObject({ subject: '1' });
  });

  it('when the issuer is away, what is known holds, and of the rest nobody can say; then it is asked again', async () => {
    const { state, keys, publish } = issuer();
    const [known, next] = [await publish(), await publish()];
    state.listed = [known.jwk];
    await keys.find(known.kid);
    Object.assign(state, { at: state.at + 60 * minute, away: true });
    expect(await keys.find(known.kid)).toBeDefined();
    await expect(keys.find(next.kid)).rejects.toThrow(DependencyError);
    const { asked } = state;
    await expect(keys.find(next.kid)).rejects.toThrow(DependencyError);
    expect(state.asked).toBe(asked);
    Object.assign(state, { at: state.at + 1_000, away: false, listed: [known.jwk, next.jwk] });
    expect(await keys.find(next.kid)).toBeDefined();
  });

  it('when the list holds what signs no access token, that is passed over', async () => {
    const { state, keys, publish } = issuer();
    const { jwk, kid } = await publish();
    state.listed = [
      null,
      { kid: 'rsa', kty: 'RSA', n: 'AQAB', e: 'AQAB' },
      { ...jwk, kid: '' },
      { ...jwk, kid: 7 },
      jwk,
    ];
    expect(await keys.find(kid)).toBeDefined();
    expect(await keys.find('rsa')).toBeUndefined();
  });
});

describe('the keys of the mesh', () => {
  it('when they are asked for, auth is; a refusal of its is auth being away', async () => {
    const { jwk, kid } = await issuer().publish();
    let answer: unknown = { kind: 'overloaded', retryAfterMs: 1 };
    const asked: string[] = [];
    const connect: Connect = (contract) =>
      clientOver(contract, async (method) => {
        asked.push(`${contract.service}.${method}`);
        return answer;
      });
    await expect(meshKeys(connect).find(kid)).rejects.toMatchObject({ dependency: 'auth', reason: 'failed' });
    answer = { kind: 'keys', keys: [jwk] };
    expect(await meshKeys(connect).find(kid)).toBeDefined();
    expect(asked).toEqual(['auth.listKeys', 'auth.listKeys']);
  });
});
