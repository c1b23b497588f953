import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  asReporter,
  authorizeUrl,
  createBrowser,
  newVerifier,
  peoplePassword,
  post,
  publicUrl,
  redirectUri,
  signIn,
  startAuth,
  type Answered,
  type Auth,
} from './test-support.ts';

let auth: Auth;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.close());

const described = async () =>
  z
    .record(z.string(), z.unknown())
    .parse(JSON.parse((await createBrowser(auth).get('/.well-known/openid-configuration')).text));
/** What a redirect gives its client, in the query and in the fragment. */
const givenBy = ({ headers }: Answered) => {
  const target = new URL(headers.get('location') ?? 'none:');
  return { to: target.origin + target.pathname, ...Object.fromEntries(target.searchParams), fragment: target.hash };
};

describe('what a client may ask to be given', () => {
  const others = [
    ...['token', 'id_token', 'id_token token', 'none'],
    ...['code token', 'code id_token', 'code id_token token'],
  ];
  it.each(others)('when it is %s, and not a code alone, it is refused, before and after a sign-in', async (type) => {
    const browser = createBrowser(auth);
    const change = { response_type: type, nonce: 'a nonce' };
    for (const signedIn of [false, true]) {
      if (signedIn) expect((await signIn(browser)).code).toBeDefined();
      const location = (await browser.get(authorizeUrl(newVerifier(), change))).headers.get('location') ?? '';
      expect(location).toMatch(
        new RegExp(`^${redirectUri.replaceAll('.', '\\.')}[?#]error=unsupported_response_type&`),
      );
      expect(location).not.toMatch(/[?#&](code|access_token|id_token)=/);
    }
  });

  it('when anybody asks what there is, it is a code in the query, and nothing else', async () => {
    expect(await described()).toMatchObject({
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
    });
  });

  it.each(['fragment', 'form_post', 'web_message', 'query.jwt', 'jwt', 'nonsense'])(
    'when the code is to come by %s, it is refused, and nothing is in the answer but why',
    async (mode) => {
      const browser = createBrowser(auth);
      expect((await signIn(browser)).code).toBeDefined();
      const answer = await browser.get(authorizeUrl(newVerifier(), { response_mode: mode }));
      expect(answer.status).toBe(303);
      expect(answer.text).not.toMatch(/<script|postMessage/);
      const given = givenBy(answer);
      expect(given).not.toHaveProperty('code');
      expect(given.fragment).not.toContain('code=');
      if (mode === 'fragment') expect(given.fragment).toMatch(/^#error=invalid_request&/);
      else expect(given).toMatchObject({ to: redirectUri, error: 'unsupported_response_mode', fragment: '' });
    },
  );
});

describe('what tokens are given for', () => {
  it('when it is a password, even the right one, there is no token', async () => {
    const browser = createBrowser(auth);
    expect((await signIn(browser)).code).toBeDefined();
    const form = { grant_type: 'password', username: 'ada@example.com', password: peoplePassword, scope: 'read' };
    for (const answer of [
      await post(browser, '/oauth/token', { ...form, client_id: 'cli' }),
      await post(browser, '/oauth/token', form, asReporter),
    ]) {
      expect(answer).toMatchObject({ status: 400, error: 'unsupported_grant_type' });
      expect(answer.access_token).toBeUndefined();
    }
  });

  const unknown = [
    ...['implicit', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:device_code'],
    ...['urn:ietf:params:oauth:grant-type:token-exchange', 'urn:openid:params:grant-type:ciba', 'nonsense'],
  ];
  it.each(unknown)('when it is %s, there is no token', async (grant) => {
    const answer = await post(createBrowser(auth), '/oauth/token', { grant_type: grant, client_id: 'cli' });
    expect(answer).toMatchObject({ status: 400, error: 'unsupported_grant_type' });
  });

  it('when it is the grant of another kind of client, there is no token', async () => {
    const browser = createBrowser(auth);
    const { code = '', verifier } = await signIn(browser);
    const asMachine = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: redirectUri };
    const asPublic = { grant_type: 'client_credentials', client_id: 'cli', scope: 'read' };
    for (const answer of [
      await post(browser, '/oauth/token', asPublic),
      await post(browser, '/oauth/token', asMachine, asReporter),
    ]) {
      expect(answer).toMatchObject({
        status: 400,
        error_description: 'requested grant type is not allowed for this client',
      });
      expect(answer.access_token).toBeUndefined();
    }
  });

  it('when anybody asks what there is, it is a code, a refresh token and a client’s own secret', async () => {
    const { grant_types_supported: grants } = await described();
    expect(z.array(z.string()).parse(grants).toSorted()).toEqual([
      ...['authorization_code', 'client_credentials', 'refresh_token'],
    ]);
  });
});

describe('the issuer of an answer', () => {
  it('when a code or an error goes to a client, the issuer goes with it, once, whatever the request said', async () => {
    const change = { iss: 'https://evil.example' };
    const browser = createBrowser(auth);
    const { at } = await signIn(browser, { change });
    const back = [at];
    back.push(
      (await browser.get(authorizeUrl(newVerifier(), { ...change, prompt: 'none' }))).headers.get('location') ?? '',
    );
    const stranger = createBrowser(auth);
    for (const wrong of [{ prompt: 'none' }, { code_challenge_method: 'plain' }, { response_mode: 'nonsense' }])
      back.push(
        (await stranger.get(authorizeUrl(newVerifier(), { ...change, ...wrong }))).headers.get('location') ?? '',
      );
    const asked = await stranger.open(authorizeUrl(newVerifier(), change));
    back.push((await stranger.follow(await stranger.fill(asked.at, asked.shown, { cancel: 'yes' }))).at);

    expect(
      back.map((one) => [...new URL(one).searchParams.keys()].find((name) => /^(code|error)$/.test(name))),
    ).toEqual([...['code', 'code', 'error', 'error', 'error', 'error']]);
    for (const one of back) expect(new URL(one).searchParams.getAll('iss')).toEqual([publicUrl]);
    expect(await described()).toMatchObject({
      issuer: publicUrl,
      authorization_response_iss_parameter_supported: true,
    });
  });
});
