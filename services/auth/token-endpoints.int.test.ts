import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asReporter, createBrowser, post, refresh, startAuth, tokensOf, type Auth } from './test-support.ts';

let auth: Auth;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.close());

describe('introspection and userinfo', () => {
  it('when a token is good, its claims are told to whom may know them; a refresh token is known too', async () => {
    const browser = createBrowser(auth);
    const tokens = await tokensOf(browser);
    const token = tokens.access_token ?? '';
    expect(await post(browser, '/oauth/introspect', { token }, asReporter)).toMatchObject({
      ...{ active: true, sub: '1', roles: ['customer'] },
    });
    expect(await post(browser, '/oauth/introspect', { token, client_id: 'cli' })).toMatchObject({ active: true });
    expect(await post(browser, '/oauth/introspect', { token, client_id: 'shop-page' })).toEqual({
      ...{ status: 200, active: false },
    });
    expect(await post(browser, '/oauth/introspect', { token })).toMatchObject({ status: 400 });
    const own = { token: tokens.refresh_token ?? '', client_id: 'cli' };
    expect(await post(browser, '/oauth/introspect', own)).toMatchObject({ active: true, sub: '1' });
    const foreign = await post(browser, '/oauth/introspect', { token: own.token }, asReporter);
    expect(foreign).toEqual({ status: 200, active: false }); // only its client can do anything with it
    expect(await post(browser, '/oauth/introspect', { token: `${token}x` }, asReporter)).toEqual({
      ...{ status: 200, active: false },
    });

    const info = await browser.get('/oauth/userinfo', { authorization: `Bearer ${token}` });
    expect(JSON.parse(info.text)).toEqual({ sub: '1', name: 'Ada', email: 'ada@example.com', email_verified: true });
    expect((await browser.get('/oauth/userinfo', { authorization: 'Bearer x.y.z' })).status).toBe(401);
    expect((await browser.get(`/oauth/userinfo?access_token=${token}`)).status).toBe(401);
  });

  it('when a client names itself and proves nothing, it is not told about a token of another', async () => {
    const browser = createBrowser(auth);
    const { access_token: token = '' } = await tokensOf(browser);
    const named = { token, client_id: 'shop-page' };
    const introspect = (form: Record<string, string>, headers = {}) =>
      post(browser, '/oauth/introspect', form, headers);
    const asked = [
      await introspect({ ...named, client_secret: '' }),
      await introspect({ ...named, client_secret: 'x' }),
      await introspect({ ...named, client_assertion: '' }),
      await introspect(named, { authorization: '' }),
      await introspect(named, { authorization: `Bearer ${token}` }),
      await introspect(named, { authorization: `Basic ${btoa('shop-page:')}` }),
      await introspect(named, { authorization: `Basic ${btoa('shop-page:x')}` }),
      await introspect({ ...named, client_id: 'reporter' }),
    ];
    for (const answer of asked) {
      expect(answer).not.toHaveProperty('sub');
      expect(answer).not.toMatchObject({ active: true });
    }
  });
});

describe('revocation', () => {
  it('when a client revokes the refresh token of another, that goes on working', async () => {
    const browser = createBrowser(auth);
    const { refresh_token: token = '' } = await tokensOf(browser);
    await browser.send('POST', '/oauth/revoke', { form: { token, client_id: 'shop-page' } });
    await browser.send('POST', '/oauth/revoke', { form: { token }, headers: asReporter });
    expect(await refresh(browser, token)).toMatchObject({ status: 200 });
  });
});
