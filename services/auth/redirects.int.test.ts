import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  createBrowser,
  newVerifier,
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

const good = 'plain words that nobody has';
/** A page that leads nowhere: no redirect, no link and no form to another origin, and no policy that lets one. */
function expectOwnPage({ status, headers, text }: Answered): void {
  expect([status, headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
  expect(headers.has('location')).toBe(false);
  expect([...text.matchAll(/(?:href|action|src)="([^"]*)"/g)].map(([, to = '']) => to).filter(leavesUs)).toEqual([]);
  expect(headers.get('content-security-policy')).toContain("form-action 'self';");
}
const leavesUs = (to: string) => new URL(to, publicUrl).origin !== publicUrl;

const shop = `${publicUrl}/shop`;
const notRegistered = [
  ...[
    'https://evil.example/callback',
    '//evil.example/callback',
    '\\\\evil.example\\callback',
    '/callback',
    'callback',
  ],
  ...['javascript:alert(1)', 'data:text/html,x', `javascript://127.0.0.1:49152/callback`],
  ...['http://127.0.0.1:49152@evil.example/callback', 'http://127.0.0.1@evil.example/callback'],
  ...['http://evil.example@127.0.0.1:49152/callback', 'http://a:b@127.0.0.1:49152/callback'],
  ...['http://127.0.0.1:49152\\@evil.example/callback', 'http://127.0.0.1:49152/callback\\..\\..\\x'],
  ...['http://127.0.0.1.evil.example:49152/callback', 'http://127.0.0.1:49152.evil.example/callback'],
  ...[
    'http://127.0.0.1:49152/callback/more',
    'http://127.0.0.1:49152/callback/../x',
    'http://127.0.0.1:49152/callbackx',
  ],
  ...['http://127.0.0.1:49152/callback?next=x', 'http://127.0.0.1:49152/callback#x', 'http://127.0.0.1:49152/Callback'],
  ...['http://127.0.0.1:49152/%63allback', 'http://127.0.0.1:49152/x/../callback', ' http://127.0.0.1:49152/callback'],
  ...['https://127.0.0.1:49152/callback', 'http://localhost:49152/callback', 'http://127.0.0.2:49152/callback'],
  ...['http://[::1]:49152/callback', 'http://0x7f000001:49152/callback', 'http://127.1:49152/callback'],
];

describe('where a code or an error may go', () => {
  it.each(notRegistered)('when it is asked for at %s, there is a page and no redirect', async (address) => {
    const browser = createBrowser(auth);
    // One that is right otherwise, and some that are wrong in another way, whose error would go there.
    for (const change of [{}, { code_challenge_method: 'plain' }, { response_type: 'token' }, { prompt: 'none' }])
      expectOwnPage(await browser.get(authorizeUrl(newVerifier(), { ...change, redirect_uri: address })));
  });

  it.each([`${shop}/`, `${shop}x`, `${shop}?a=b`, 'http://127.0.0.1:8081/shop', 'http://127.0.0.1/shop', redirectUri])(
    'when the address of a page is written as %s, it is another: its port is a part of it, too',
    async (address) => {
      const change = { client_id: 'shop-page', redirect_uri: address };
      expectOwnPage(await createBrowser(auth).get(authorizeUrl(newVerifier(), change)));
    },
  );

  it('when a program on this machine asks at another port of the loopback, the code goes there, as for a page to its own', async () => {
    const change = { redirect_uri: 'http://127.0.0.1:50000/callback' };
    expect((await signIn(createBrowser(auth), { change })).at).toMatch(/^http:\/\/127\.0\.0\.1:50000\/callback\?code=/);
    const page = { client_id: 'shop-page', redirect_uri: shop };
    expect((await signIn(createBrowser(auth), { change: page })).at).toMatch(
      /^http:\/\/127\.0\.0\.1:8080\/shop\?code=/,
    );
  });

  it('when nobody has registered the client, or there is no address, there is a page and no redirect', async () => {
    const browser = createBrowser(auth);
    for (const change of [{ client_id: 'nobody' }, { client_id: '' }, { redirect_uri: '' }])
      expectOwnPage(await browser.get(authorizeUrl(newVerifier(), change)));
  });

  it('when the address comes twice, neither is used', async () => {
    const twice = `${authorizeUrl(newVerifier())}&redirect_uri=${encodeURIComponent('https://evil.example/callback')}`;
    expectOwnPage(await createBrowser(auth).get(twice));
  });
});

describe('where signing out leads', () => {
  const evil = ['https://evil.example/', '//evil.example', 'javascript:alert(1)', `${shop}x`, `${shop}@evil.example`];
  it.each(evil)('when it is to lead to %s, which is not registered, it does not', async (address) => {
    const browser = createBrowser(auth);
    const change = { client_id: 'shop-page', redirect_uri: shop };
    expect((await signIn(browser, { change })).code).toBeDefined();
    const target = `/oauth/sign-out?${new URLSearchParams({ post_logout_redirect_uri: address, state: 's' }).toString()}`;
    expectOwnPage(await browser.get(`${target}&client_id=shop-page`));
    // Nobody says for whom: the address is not looked at.
    const asked = await browser.get(target);
    expect(asked.headers.get('content-security-policy')).toContain("form-action 'self';");
    const done = await browser.fill(target, asked, { logout: 'yes' });
    expect([done.status, done.headers.get('location')]).toEqual([303, `${publicUrl}/oauth/sign-out/success`]);
  });

  it('when it is registered, it does', async () => {
    const browser = createBrowser(auth);
    await signIn(browser, { change: { client_id: 'shop-page', redirect_uri: shop } });
    const target = `/oauth/sign-out?${new URLSearchParams({ post_logout_redirect_uri: shop, client_id: 'shop-page' }).toString()}`;
    const done = await browser.fill(target, await browser.get(target), { logout: 'yes' });
    expect([done.status, done.headers.get('location')]).toEqual([303, shop]);
  });
});

describe('the pages', () => {
  const evil = 'https://evil.example/';
  const names = [
    'next',
    'return',
    'return_to',
    'returnTo',
    'redirect',
    'redirect_uri',
    'url',
    'continue',
    'RelayState',
  ];
  const more = Object.fromEntries(names.map((name) => [name, evil]));
  const query = new URLSearchParams(more).toString();
  const paths = ['register', 'forgot', 'verify', 'reset', 'password', 'sign-out', 'check-mail'];

  it('when one is told where to go on, it does not, and does not say it either', async () => {
    const browser = createBrowser(auth);
    await signIn(browser);
    for (const path of ['', ...paths.map((name) => `/${name}`)]) {
      const shown = await browser.get(`/account${path}?${query}`);
      expect([shown.text.includes('evil.example'), shown.headers.get('location')]).toEqual([false, undefined]);
    }
    for (const [path, fields] of [
      ['/account/register', { name: 'Nora', email: 'nora@example.com', password: good }],
      ['/account/forgot', { email: 'ada@example.com' }],
    ] as const) {
      const sent = await browser.fill(`${path}?${query}`, await browser.get(path), { ...more, ...fields });
      expect([sent.status, sent.headers.get('location')]).toEqual([303, '/account/check-mail']);
    }
    const asked = await createBrowser(auth).get(`${authorizeUrl(newVerifier())}&next=${evil}&return_to=${evil}`);
    expect(asked.headers.get('location')).toMatch(/^\/sign-in\/[\w-]+$/);
  });

  it.each(['//evil.example/account/register', '/\\evil.example/account', '//evil.example/oauth/sign-out'])(
    'when the request itself is for %s, it is refused',
    async (target) => {
      const { exchangeHttp } = await auth.as();
      const request = {
        method: 'GET' as const,
        target,
        headers: { host: 'evil.example' },
        body: '',
        address: '10.0.0.1',
      };
      const answer = await exchangeHttp(request);
      expect(answer).toMatchObject({ kind: 'exchanged', status: 400, headers: [] });
    },
  );

  it('when a host is made up, no address that is said is of it', async () => {
    const browser = createBrowser(auth);
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
    for (const target of [authorizeUrl(newVerifier()), '/oauth/sign-out', '/account/register']) {
      const { text, raw } = await browser.get(target, headers);
      expect(JSON.stringify(raw.headers) + text).not.toContain('evil.example');
    }
  });
});
