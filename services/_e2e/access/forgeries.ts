import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import type { JWK } from 'jose';
import { tokenAudience } from '../../_chassis/identity.ts';
import { testIssuer } from '../../_chassis/test-support/issuer.ts';
import { base64url, ecdsa, encode, hmac, n, type Part, type Sign } from './signing.ts';

/** What is sent in place of a token that holds. */
export interface Forgery {
  readonly name: string;
  readonly authorization: string | readonly string[];
}

/** A staff token that holds, and whatever can be made to look like one; `strangers` have keys that nobody knows. */
export function forge(key: JWK) {
  const { d: _, ...open } = key;
  const ours = createPrivateKey({ key, format: 'jwk' });
  const publicKey = createPublicKey({ key: open, format: 'jwk' });
  const theirs = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const theirJwk = theirs.publicKey.export({ format: 'jwk' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const edwards = generateKeyPairSync('ed25519');
  const wide = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const widest = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  const now = Math.floor(Date.now() / 1_000);

  const header = { alg: 'ES256', typ: 'at+jwt', kid: key.kid };
  const claims = {
    ...{ iss: testIssuer, aud: tokenAudience, sub: '3', tenant: 'main', roles: ['staff', 'admin'] },
    ...{ scope: 'read write', client_id: 'tests', jti: 'j', iat: now, exp: now + 600 },
  };
  const make = (changed: Part = {}, said: Part = {}, by: Sign = ecdsa(ours)): string => {
    const input = `${encode({ ...header, ...changed })}.${encode({ ...claims, ...said })}`;
    return `${input}.${base64url(by(input))}`;
  };
  const good = make();
  const [head = '', body = '', signature = ''] = good.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const flip = (text: string, at: number) => {
    const raw = Buffer.from(text, 'base64url');
    raw.writeUInt8(raw.readUInt8(at) ^ 1, at);
    return base64url(raw);
  };
  const signed = (input: string, by: Sign = ecdsa(ours)) => `${input}.${base64url(by(input))}`;
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const nothing: Sign = () => Buffer.alloc(0);
  const wrong = ecdsa(theirs.privateKey);
  const zero = (r: bigint, s: bigint) => () =>
    Buffer.from(r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0'), 'hex');

  const tokens: Record<string, string> = {
    ...Object.fromEntries(
      ['none', 'None', 'NONE', 'nOnE', '', 'ES256 ', 'es256', 'HS256', 'ES256K'].flatMap((alg) => [
        [`alg ${alg} with no signature`, make({ alg }, {}, nothing)],
        [`alg ${alg} with a stranger's signature`, make({ alg }, {}, wrong)],
      ]),
    ),
    'alg missing': make({ alg: undefined }),
    'alg none with the good signature': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
    'HS256 by the public key as PEM': make({ alg: 'HS256' }, {}, hmac(pem)),
    'HS256 by the public key as PEM without its last line break': make({ alg: 'HS256' }, {}, hmac(String(pem).trim())),
    'HS256 by the public key as DER': make({ alg: 'HS256' }, {}, hmac(der)),
    'HS256 by the public key as JWK': make({ alg: 'HS256' }, {}, hmac(JSON.stringify(open))),
    'HS256 by the JWKS': make({ alg: 'HS256' }, {}, hmac(JSON.stringify({ keys: [open] }))),
    'HS256 by the coordinate x': make({ alg: 'HS256' }, {}, hmac(Buffer.from(open.x ?? '', 'base64url'))),
    'HS384 by the public key': make({ alg: 'HS384' }, {}, hmac(pem, 'sha384')),
    'HS512 by the public key': make({ alg: 'HS512' }, {}, hmac(pem, 'sha512')),
    'HS256 by an empty secret': make({ alg: 'HS256' }, {}, hmac('')),
    RS256: make({ alg: 'RS256' }, {}, (input) => sign('sha256', Buffer.from(input), rsa.privateKey)),
    PS256: make({ alg: 'PS256' }, {}, (input) =>
      sign('sha256', Buffer.from(input), { key: rsa.privateKey, padding: 6, saltLength: 32 }),
    ),
    EdDSA: make({ alg: 'EdDSA' }, {}, (input) => sign(null, Buffer.from(input), edwards.privateKey)),
    ES384: make({ alg: 'ES384' }, {}, ecdsa(wide.privateKey, 'sha384')),
    ES512: make({ alg: 'ES512' }, {}, ecdsa(widest.privateKey, 'sha512')),
    'ES256 on P-384': make({}, {}, ecdsa(wide.privateKey)),
    'another key under the same kid': make({}, {}, wrong),
    'another key, kid missing': make({ kid: undefined }, {}, wrong),
    // RFC 9068 allows a token without `kid`; auth issues none, and to try every key for whoever sends one gains nobody anything.
    'our key, kid missing': make({ kid: undefined }),
    'our key, kid a list of it': make({ kid: [key.kid] }),
    ...Object.fromEntries(
      [
        ...[
          '../../../../dev/null',
          '/dev/null',
          'https://evil.example/key',
          "' or 1=1 --",
          '',
          'k'.repeat(1_000),
          '\0',
        ],
        ...[null, [], [key.kid], 0, 1e308, true, {}, { toString: 'x' }, '__proto__', 'constructor', ' ' + key.kid],
      ].map((kid) => [`kid ${JSON.stringify(kid).slice(0, 30)}`, make({ kid }, {}, wrong)]),
    ),
    'kid /dev/null with HS256 by nothing': make({ kid: '/dev/null', alg: 'HS256' }, {}, hmac('')),
    'jwk of a stranger': make({ jwk: theirJwk }, {}, wrong),
    'jwk of a stranger and no kid': make({ jwk: theirJwk, kid: undefined }, {}, wrong),
    jku: make({ jku: 'https://evil.example/jwks' }, {}, wrong),
    x5u: make({ x5u: 'https://evil.example/cert' }, {}, wrong),
    x5c: make({ x5c: [base64url(theirs.publicKey.export({ type: 'spki', format: 'der' }))] }, {}, wrong),
    'crit unknown': make({ crit: ['new'], new: true }),
    'crit empty': make({ crit: [] }),
    'crit b64, b64 false': make({ crit: ['b64'], b64: false }),
    'b64 false with its payload as it is': signed(`${encode({ ...header, b64: false, crit: ['b64'] })}.claims`),
    'crit exp': make({ crit: ['exp'], exp: now + 600 }),
    'a token in a token': ((input: string) => `${input}.${base64url(wrong(input))}`)(
      `${encode({ ...header, cty: 'JWT' })}.${base64url(good)}`,
    ),
    JWE: [encode({ alg: 'dir', enc: 'A256GCM', kid: key.kid }), '', 'aaaa', body, 'aaaa'].join('.'),
    'JWE with ECDH-ES': [encode({ alg: 'ECDH-ES', enc: 'A256GCM', epk: theirJwk }), '', 'aaaa', body, 'aaaa'].join('.'),
    'typ JWT': make({ typ: 'JWT' }),
    'typ missing': make({ typ: undefined }),
    'typ id_token': make({ typ: 'id_token+jwt' }),
    'typ logout': make({ typ: 'logout+jwt' }),
    'typ null': make({ typ: null }),
    'typ a list': make({ typ: ['at+jwt'] }),
    expired: make({}, { iat: now - 700, exp: now - 100 }),
    'expired a second ago': make({}, { iat: now - 601, exp: now - 1 }),
    'not valid yet': make({}, { nbf: now + 300 }),
    'nbf as text': make({}, { nbf: String(now) }),
    'exp missing': make({}, { exp: undefined }),
    'exp as text': make({}, { exp: String(now + 600) }),
    'exp negative': make({}, { exp: -1 }),
    'exp 0': make({}, { exp: 0 }),
    'exp null': make({}, { exp: null }),
    'issued in the future': make({}, { iat: now + 3_600, exp: now + 4_000 }),
    'good for a month': make({}, { exp: now + 30 * 86_400 }),
    'good for centuries': make({}, { exp: 1e15 }),
    'exp not finite in a date': make({}, { exp: 1e300 }),
    'iat missing': make({}, { iat: undefined }),
    'iat as text': make({}, { iat: String(now) }),
    'audience another': make({}, { aud: 'other' }),
    'audience others': make({}, { aud: ['other', 'another'] }),
    'audience none': make({}, { aud: [] }),
    'audience missing': make({}, { aud: undefined }),
    'audience an object': make({}, { aud: { 0: tokenAudience } }),
    'audience in capitals': make({}, { aud: tokenAudience.toUpperCase() }),
    'issuer another': make({}, { iss: 'https://evil.example' }),
    'issuer with a slash': make({}, { iss: `${testIssuer}/` }),
    'issuer in capitals': make({}, { iss: testIssuer.toUpperCase() }),
    'issuer missing': make({}, { iss: undefined }),
    'issuer a list': make({}, { iss: [testIssuer] }),
    ...Object.fromEntries(
      ['sub', 'tenant', 'roles'].flatMap((claim) =>
        [undefined, null, '', 1, {}, ['x'.repeat(65)]].map((value) => [
          `${claim} ${JSON.stringify(value)?.slice(0, 20) ?? 'missing'}`,
          make({}, { [claim]: value }),
        ]),
      ),
    ),
    // What limits a token is never guessed: without a scope that can be read it does not hold.
    ...Object.fromEntries(
      [undefined, null, 1, true, {}, [], ['read', 'write'], `read write ${'x'.repeat(256)}`].map((scope) => [
        `scope ${JSON.stringify(scope)?.slice(0, 20) ?? 'missing'}`,
        make({}, { scope }),
      ]),
    ),
    'roles as text': make({}, { roles: 'staff' }),
    'roles too many': make({}, { roles: Array(21).fill('staff') }),
    'tenant with a NUL': make({}, { tenant: 'main\0' }),
    'tenant with a path': make({}, { tenant: 'other/../main' }),
    'sub with a quote': make({}, { sub: "1' or '1'='1" }),
    'claims deflated': signed(
      `${encode({ ...header, zip: 'DEF' })}.${base64url(deflateRawSync(JSON.stringify(claims)))}`,
    ),
    'claims no object': signed(`${head}.${encode('"text"')}`),
    'claims no JSON': signed(`${head}.${encode('{')}`),
    'only the header': head,
    'cut at the first dot': `${head}.`,
    'cut before the second dot': `${head}.${body}`,
    'cut at the second dot': `${head}.${body}.`,
    'without a header': `.${body}.${signature}`,
    'without claims': `${head}..${signature}`,
    'dots alone': '..',
    'a dot behind': `${good}.`,
    'a dot before': `.${good}`,
    'a part too many': `${good}.${signature}`,
    'a bit of the header flipped': `${flip(head, 20)}.${body}.${signature}`,
    'a bit of the claims flipped': `${head}.${flip(body, 60)}.${signature}`,
    'a bit of the signature flipped': `${head}.${body}.${flip(signature, 9)}`,
    'the header written anew': `${encode({ kid: key.kid, typ: 'at+jwt', alg: 'ES256' })}.${body}.${signature}`,
    'other claims with the old signature': `${head}.${encode({ ...claims, roles: ['admin'] })}.${signature}`,
    'a signature cut short': `${head}.${body}.${signature.slice(0, -4)}`,
    'a signature too long': `${head}.${body}.${signature}AAAA`,
    'padding behind': `${good}==`,
    'base64 in place of base64url': `${head}.${body}.${bytes.toString('base64')}+/=`,
    'r and s 0': make({}, {}, zero(0n, 0n)),
    'r 0': make({}, {}, zero(0n, 1n)),
    's 0': make({}, {}, zero(1n, 0n)),
    'r and s of the order': make({}, {}, zero(n, n)),
    'r and s 1': make({}, {}, zero(1n, 1n)),
    'a signature in DER': make({}, {}, ecdsa(ours, 'sha256', 'der')),
    'a signature over SHA-384': make({}, {}, ecdsa(ours, 'sha384')),
    'very long': make({}, { more: 'x'.repeat(3_000) }),
  };

  const high = bytes.subarray(32).toString('hex');
  const malleable = zero(BigInt(`0x${bytes.subarray(0, 32).toString('hex')}`), n - BigInt(`0x${high}`))();
  return {
    refused: [
      ...Object.entries(tokens).map(([name, token]) => ({ name, authorization: `Bearer ${token}` })),
      ...Object.entries(schemesOf(good)).map(([name, authorization]) => ({ name, authorization })),
    ] satisfies Forgery[],
    /** What looks odd and is right: the standards say so, and nobody gains by it. */
    accepted: [
      { name: 'the scheme in small letters', authorization: `bearer ${good}` },
      { name: 'typ as a whole media type', authorization: `Bearer ${make({ typ: 'application/at+jwt' })}` },
      { name: 'ours among other audiences', authorization: `Bearer ${make({}, { aud: ['other', tokenAudience] })}` },
      {
        name: 'the other of the two signatures that a message has',
        authorization: `Bearer ${head}.${body}.${base64url(malleable)}`,
      },
    ] satisfies Forgery[],
    /** What holds, and is not for this: what reads wants the scope `read`, the rest `write`. */
    narrow: (reads: boolean) => {
      const [wanted, other] = reads ? (['read', 'write'] as const) : (['write', 'read'] as const);
      const scopes = ['', other, 'openid profile email', wanted.toUpperCase(), `${wanted}s`, `${other},${wanted}`];
      return scopes.map((scope) => ({ name: `scope '${scope}'`, authorization: `Bearer ${make({}, { scope })}` }));
    },
    good,
  };
}

/** A token that holds, sent as none is sent. */
function schemesOf(good: string): Record<string, string | readonly string[]> {
  const [head, body, signature] = good.split('.');
  return {
    'a line break within': `Bearer ${head}. ${body}.${signature}`,
    'no scheme': good,
    'scheme alone': 'Bearer',
    'Bearer twice': `Bearer Bearer ${good}`,
    'two tokens': `Bearer ${good}, Bearer ${good}`,
    'two tokens with a blank': `Bearer ${good} ${good}`,
    Basic: `Basic ${Buffer.from(`3:${good}`).toString('base64')}`,
    'Basic with the token as it is': `Basic ${good}`,
    DPoP: `DPoP ${good}`,
    Token: `Token ${good}`,
    'Bearer with an equals sign': `Bearer=${good}`,
    'in quotes': `Bearer "${good}"`,
    'two headers, both good': [`Bearer ${good}`, `Bearer ${good}`],
    'two headers, the first bad': ['Bearer a.b.c', `Bearer ${good}`],
    'two headers, the second bad': [`Bearer ${good}`, 'Bearer a.b.c'],
    'two headers, the second Basic': [`Bearer ${good}`, 'Basic OnB3'],
  };
}
