import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  asReporter,
  authorizeUrl,
  createBrowser,
  newVerifier,
  post,
  publicUrl,
  redeem,
  redirectUri,
  refresh,
  signIn,
  startAuth,
  tokensOf,
  type Auth,
} from './test-support.ts';

let auth: Auth;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.close());

describe('signing in with a code', () => {
  it('when the password is right, the code gives an access token of the kind that all services check', async () => {
    const browser = createBrowser(auth);
    const { code, verifier, at } = await signIn(browser);
    expect(at).toContain(redirectUri);
    const tokens = await redeem(browser, code, verifier);

    expect(tokens.status).toBe(200);
    expect(decodeProtectedHeader(tokens.access_token ?? '')).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(decodeJwt(tokens.access_token ?? '')).toMatchObject({
      ...{ iss: publicUrl, aud: 'sidecart', sub: '1', tenant: 'main', roles: ['customer'], client_id: 'cli' },
      scope: 'openid profile email read write',
    });
    const { exp = 0, iat = 0 } = decodeJwt(tokens.access_token ?? '');
    expect(exp - iat).toBe(600);
    expect(decodeJwt(tokens.id_token ?? '')).toMatchObject({ iss: publicUrl, sub: '1', aud: 'cli' });
    expect(tokens.refresh_token).toMatch(/^[\w-]{20,}$/);
  });

  it('when the challenge is missing or plain, or the redirect is another, there is no code', async () => {
    const browser = createBrowser(auth);
    const missing = await browser.get(authorizeUrl(newVerifier(), { code_challenge: '', code_challenge_method: '' }));
    expect(missing.headers.get('location')).toContain('error=invalid_request');
    const plain = await browser.get(authorizeUrl(newVerifier(), { code_challenge_method: 'plain' }));
    expect(plain.headers.get('location')).toContain('error=invalid_request');
    const elsewhere = await browser.get(authorizeUrl(newVerifier(), { redirect_uri: 'http://evil.example/callback' }));
    expect(elsewhere.status).toBe(400);
    expect(elsewhere.headers.has('location')).toBe(false);
  });

  it('when the verifier is another, or the code comes twice, there is no token, and the second time ends the first', async () => {
    const browser = createBrowser(auth);
    const first = await signIn(browser);
    expect(await redeem(browser, first.code, newVerifier())).toMatchObject({ status: 400, error: 'invalid_grant' });
    const second = await signIn(browser);
    const tokens = await redeem(browser, second.code, second.verifier);
    expect(tokens.status).toBe(200);
    expect(await redeem(browser, second.code, second.verifier)).toMatchObject({ error: 'invalid_grant' });
    expect(await refresh(browser, tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  });

  it('when codes and tokens are given, they run out: after a minute, ten minutes, and two weeks', async () => {
    const browser = createBrowser(auth);
    await tokensOf(browser);
    const kept = await auth.database.query<{ model: string; seconds: number }>(
      `select model, max(extract(epoch from expires_at - clock_timestamp()))::float8 as seconds from oidc_payloads
        where model in ('AuthorizationCode', 'RefreshToken', 'AccessToken') group by model order by model`,
    );
    expect(kept.map(({ model }) => model)).toEqual(['AuthorizationCode', 'RefreshToken']);
    for (const [n, limit] of [60, 14 * 86_400].entries()) {
      expect(kept[n]?.seconds).toBeLessThanOrEqual(limit);
      expect(kept[n]?.seconds).toBeGreaterThan(limit - 30);
    }
    const { access_token: token = '' } = await tokensOf(browser);
    const { exp = 0, iat = 0 } = decodeJwt(token);
    expect(exp - iat).toBe(600);
    const { code, verifier } = await signIn(browser);
    await auth.database.query(
      `update oidc_payloads set expires_at = clock_timestamp() where model = 'AuthorizationCode'`,
    );
    expect(await redeem(browser, code, verifier)).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('refresh tokens', () => {
  it('when one is used, it is replaced, and when an old one comes again, the whole family ends', async () => {
    const browser = createBrowser(auth);
    const first = await tokensOf(browser);
    const second = await refresh(browser, first.refresh_token);
    expect(second.status).toBe(200);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await refresh(browser, first.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await refresh(browser, second.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  it('when one comes twice at the same moment, only one of them is answered, and the family ends', async () => {
    const browser = createBrowser(auth);
    const { refresh_token: token } = await tokensOf(browser);
    const both = await Promise.all([refresh(browser, token), refresh(browser, token)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    const next = both.find(({ status }) => status === 200)?.refresh_token;
    expect(await refresh(browser, next)).toMatchObject({ error: 'invalid_grant' });
  });

  it('when one is revoked, it no longer works', async () => {
    const browser = createBrowser(auth);
    const tokens = await tokensOf(browser);
    const form = { client_id: 'cli', token: tokens.refresh_token ?? '' };
    expect((await browser.send('POST', '/oauth/revoke', { form })).status).toBe(200);
    expect(await refresh(browser, tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('client credentials', () => {
  it('when the secret is right, the token is the client’s own, and else there is none', async () => {
    const browser = createBrowser(auth);
    const form = { grant_type: 'client_credentials', scope: 'read' };
    const tokens = await post(browser, '/oauth/token', form, asReporter);
    expect(decodeJwt(tokens.access_token ?? '')).toMatchObject({
      ...{ sub: 'reporter', tenant: 'main', roles: ['staff'], scope: 'read', aud: 'sidecart', client_id: 'reporter' },
    });
    const wrong = { authorization: `Basic ${Buffer.from('reporter:wrong').toString('base64')}` };
    expect(await post(browser, '/oauth/token', form, wrong)).toMatchObject({ status: 401, error: 'invalid_client' });
    expect(await post(browser, '/oauth/token', { ...form, scope: 'write' }, asReporter)).toMatchObject({
      error: 'invalid_scope',
    });
  });
});

describe('discovery', () => {
  it('when anybody asks, it names the public URL, whatever host he used, and the keys are the ones listed', async () => {
    const browser = createBrowser(auth);
    const found = JSON.parse((await browser.get('/.well-known/openid-configuration')).text) as Record<string, unknown>;
    expect(found).toMatchObject({
      issuer: publicUrl,
      authorization_endpoint: `${publicUrl}/oauth/authorize`,
      token_endpoint: `${publicUrl}/oauth/token`,
      end_session_endpoint: `${publicUrl}/oauth/sign-out`,
      code_challenge_methods_supported: ['S256'],
    });
    const { keys } = JSON.parse((await browser.get('/oauth/jwks')).text) as { keys: object[] };
    const listed = await (await auth.as()).listKeys({});
    expect(listed).toMatchObject({ kind: 'keys', keys });
    expect(JSON.stringify(listed)).not.toContain('"d"');
  });
});

describe('signing out', () => {
  it('when somebody signs out, the session ends, and with it the tokens that hang on it', async () => {
    const browser = createBrowser(auth);
    const tokens = await tokensOf(browser);
    const { at, shown } = await browser.open('/oauth/sign-out');
    const out = await browser.follow(await browser.fill(at, shown, { logout: 'yes' }));
    expect(out.shown.text).toContain('You are signed out');
    expect(await refresh(browser, tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect((await browser.open(authorizeUrl(newVerifier()))).at).toContain('/sign-in/');
  });
});

describe('a repeated exchange', () => {
  it('when the same call comes again with its key, the answer is the same to the byte', async () => {
    const browser = createBrowser(auth);
    const { code = '', verifier } = await signIn(browser);
    const form = {
      ...{ grant_type: 'authorization_code', client_id: 'cli', redirect_uri: redirectUri },
      ...{ code, code_verifier: verifier },
    };
    const once = await browser.send('POST', '/oauth/token', { form, key: 'one key' });
    const twice = await browser.send('POST', '/oauth/token', { form, key: 'one key' });
    expect(once.status).toBe(200);
    expect(twice.raw).toEqual(once.raw);
    const rows = await auth.database.query<{ answer: string }>('select answer from idempotency_keys');
    expect(rows.every(({ answer }) => !answer.includes('access_token'))).toBe(true);
  });
});
