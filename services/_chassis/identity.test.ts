import { createHmac } from 'node:crypto';
import { SignJWT, exportSPKI, generateKeyPair, importJWK, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { DependencyError } from './errors.ts';
import { createAuthenticate, tokenAudience } from './identity.ts';
import { generateSigningKey, signToken, staticAuthenticate, staticKeys, testIssuer } from './test-support/issuer.ts';

const now = Math.floor(Date.now() / 1_000);
const sound = {
  sub: '1',
  tenant: 'main',
  roles: ['customer'],
  scope: 'openid read write',
  iss: testIssuer,
  aud: tokenAudience,
  iat: now,
  exp: now + 3_600,
};

let ours: { privateKey: JWK; verificationKeys: string };
let theirs: typeof ours;
beforeAll(async () => {
  [ours, theirs] = await Promise.all([generateSigningKey(), generateSigningKey()]);
});

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of ours but for what is said; a claim or header that is undefined is left out. */
async function forge(claims: object = {}, header: Readonly<Record<string, unknown>> = {}, key = ours): Promise<string> {
  const fields = { typ: 'at+jwt', kid: key.privateKey.kid, ...header };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const signed = new SignJWT({ ...sound, ...claims }).setProtectedHeader({ alg: 'ES256', ...given });
  return signed.sign(await importJWK(key.privateKey, 'ES256'), { crit: { 'urn:x': true } });
}

/** What every careless check lets through. */
const forgeries: readonly (readonly [string, () => Promise<string>])[] = [
  ['of no algorithm', async () => `${base64({ alg: 'none', typ: 'at+jwt' })}.${base64(sound)}.`],
  ['of no algorithm, in capitals', async () => `${base64({ alg: 'NONE', typ: 'at+jwt' })}.${base64(sound)}.`],
  ['signed by HMAC with our public JWK as the secret', async () => hmac(ours.verificationKeys)],
  ['signed by HMAC with our public key as PEM', async () => hmac(await publicPem(ours.privateKey))],
  ['signed by HMAC with nothing', async () => hmac('')],
  ['signed with another key under our kid', () => forge({}, { kid: ours.privateKey.kid ?? '' }, theirs)],
  ['signed with another key under its kid', () => forge({}, {}, theirs)],
  ['signed with a key that it brings along', () => forge({}, { jwk: publicHalf(theirs.privateKey) }, theirs)],
  ['signed with a key that it points at', () => forge({}, { jku: 'http://127.0.0.1/keys' }, theirs)],
  ['signed with RSA', rsa],
  ['of an unknown kid', () => forge({}, { kid: 'unknown' })],
  ['of no kid', () => forge({}, { kid: undefined })],
  ['of a kid that is no text', () => forge({}, { kid: { $ne: '' } })],
  ['that brings a certificate', () => forge({}, { x5c: ['MA=='], x5u: 'http://127.0.0.1/cert' }, theirs)],
  ['of another type', () => forge({}, { typ: 'JWT' })],
  ['an ID token, which has no type', () => forge({}, { typ: undefined })],
  ['with an extension that must be understood', () => forge({}, { crit: ['urn:x'], 'urn:x': 1 })],
  ['of another issuer', () => forge({ iss: 'urn:other:auth' })],
  ['of an issuer that only begins as ours', () => forge({ iss: `${testIssuer}.evil.test` })],
  ['of no issuer', () => forge({ iss: undefined })],
  ['for another audience', () => forge({ aud: 'other' })],
  ['for no audience', () => forge({ aud: undefined })],
  ['that has expired', () => forge({ exp: now - 1 })],
  ['that never expires', () => forge({ exp: undefined })],
  ['that expires at a text', () => forge({ exp: '9999999999' })],
  ['that is not valid yet', () => forge({ nbf: now + 600 })],
  ['that does not say since when', () => forge({ iat: undefined })],
  ['of nobody', () => forge({ sub: undefined })],
  ['of an empty name', () => forge({ sub: '' })],
  ['of a name with NUL', () => forge({ sub: '1\0' })],
  ['of a name that is a number', () => forge({ sub: 1 })],
  ['of no tenant', () => forge({ tenant: undefined })],
  ['of a tenant that is a pattern', () => forge({ tenant: '%' })],
  ['without roles', () => forge({ roles: undefined })],
  ['whose role is no list', () => forge({ roles: 'staff' })],
  ['without a scope', () => forge({ scope: undefined })],
  ['whose scope is a list', () => forge({ scope: ['read'] })],
  ['whose scope is null', () => forge({ scope: null })],
  ['whose scope is a number', () => forge({ scope: 1 })],
  ['whose scope is too long', () => forge({ scope: `read ${'x'.repeat(256)}` })],
  ['of a kid that is a list of ours', () => forge({}, { kid: [ours.privateKey.kid] })],
  ['cut short', async () => (await forge()).slice(0, -2)],
  ['without its signature', async () => (await forge()).replace(/\.[^.]*$/, '.')],
  ['with other claims under our signature', swapClaims],
  ['of two parts', async () => (await forge()).replace(/\.[^.]*$/, '')],
  ['of five parts', async () => `${await forge()}.a.b`],
  ['garbage', async () => 'a.b.c'],
  ['dots', async () => '...'],
  ['endless', async () => `${await forge()}${'x'.repeat(5_000)}`],
];

function hmac(secret: string): string {
  const text = `${base64({ alg: 'HS256', typ: 'at+jwt', kid: ours.privateKey.kid })}.${base64(sound)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

function publicHalf({ kty, crv, x, y }: JWK): JWK {
  return { kty, crv, x, y } as JWK;
}

async function publicPem(key: JWK): Promise<string> {
  const imported = await importJWK(publicHalf(key), 'ES256', { extractable: true });
  return 'type' in imported ? exportSPKI(imported) : '';
}

async function rsa(): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256');
  return new SignJWT(sound).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt' }).sign(privateKey);
}

async function swapClaims(): Promise<string> {
  const [header, , signature] = (await forge()).split('.');
  return `${header}.${base64({ ...sound, roles: ['staff'] })}.${signature}`;
}

describe('a token', () => {
  const check = (authorization: string | undefined) => staticAuthenticate(ours.verificationKeys)(authorization);

  it('when it is sound, it speaks for its subject, however the scheme is spelt', async () => {
    const principal = { subject: '1', tenant: 'main', roles: ['customer'], scopes: ['openid', 'read', 'write'] };
    expect(await check(`Bearer ${await forge()}`)).toEqual(principal);
    expect(await check(`bearer ${await forge({}, { jku: 'http://127.0.0.1/keys' })}`)).toEqual(principal);
    const read = await signToken(ours.privateKey, { sub: '1', roles: ['customer'], scopes: ['read'] });
    expect(await check(`BEARER ${read}`)).toEqual({ ...principal, scopes: ['read'] });
  });

  it('when there is none, nobody speaks', async () => {
    expect(await check(undefined)).toBeUndefined();
  });

  it.each(forgeries)('when it is one %s, it is invalid', async (_name, make) => {
    expect(await check(`Bearer ${await make()}`)).toBe('invalid');
  });

  it('when the header is another scheme, has no token, two, or more than one, it is invalid', async () => {
    const token = await forge();
    for (const header of ['', 'Bearer', 'Bearer ', token, `Basic ${token}`, `Bearer  ${token}`, `Bearer ${token} `])
      expect([header, await check(header)]).toEqual([header, 'invalid']);
    for (const header of [`Bearer ${token} ${token}`, `Bearer ${token}, Bearer ${token}`, `Bearer ${token},${token}`])
      expect(await check(header)).toBe('invalid');
  });
});

describe('a token whose key nobody can look up now', () => {
  it('when it may be good, that is not for us to say; what is known goes on', async () => {
    let away = true;
    const keys = staticKeys(ours.verificationKeys);
    const find = (kid: string) => (away ? Promise.reject(new DependencyError('auth', 'unreachable')) : keys.find(kid));
    const check = createAuthenticate({ issuer: testIssuer, keys: { find } });
    const header = `Bearer ${await forge()}`;
    await expect(check(header)).rejects.toMatchObject({ dependency: 'auth' });
    away = false;
    const known = await check(header);
    expect(known).toMatchObject({ subject: '1' });
    away = true;
    expect(await check(header)).toBe(known);
    expect(await check('Bearer a.b.c')).toBe('invalid');
  });
});

describe('tokens that were checked', () => {
  it('when one comes again, it is known until it expires, and not a moment longer', async () => {
    let at = now * 1_000;
    const check = createAuthenticate({ issuer: testIssuer, keys: staticKeys(ours.verificationKeys), clock: () => at });
    const header = `Bearer ${await forge({ exp: now + 10 })}`;
    const first = await check(header);
    expect(await check(header)).toBe(first);
    at = (now + 10) * 1_000 - 1;
    expect(await check(header)).toBe(first);
    at = (now + 10) * 1_000;
    expect(await check(header)).toBe('invalid');
  });

  it('when there are more than are kept, the oldest is checked again', async () => {
    const check = createAuthenticate({ issuer: testIssuer, keys: staticKeys(ours.verificationKeys), cacheSize: 2 });
    const headers = await Promise.all(['1', '2', '3'].map(async (sub) => `Bearer ${await forge({ sub })}`));
    const first = [];
    for (const header of headers) first.push(await check(header));
    expect(await check(headers[2])).toBe(first[2]);
    const again = await check(headers[0]);
    expect(again).toEqual(first[0]);
    expect(again).not.toBe(first[0]);
  });
});
