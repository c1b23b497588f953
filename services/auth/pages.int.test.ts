import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  createBrowser,
  newVerifier,
  peoplePassword,
  publicUrl,
  redirectUri,
  refresh,
  signIn,
  startAuth,
  tokensOf,
  type Answered,
  type Auth,
} from './test-support.ts';

let auth: Auth;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.close());

const shop = { client_id: 'shop-page', redirect_uri: `${publicUrl}/shop` };

/** Every page there is: of somebody who is signed in, of a stranger, and of what goes wrong. */
async function allPages(): Promise<[name: string, page: Answered][]> {
  const [ada, stranger] = [createBrowser(auth), createBrowser(auth)];
  expect((await signIn(ada)).code).toBeDefined();
  const pages: [string, Answered][] = [];
  const own = ['', '/password', '/sign-out', '/register', '/forgot', '/verify', '/reset', '/check-mail'];
  for (const browser of [ada, stranger])
    for (const path of own) pages.push([`/account${path}`, await browser.get(`/account${path}`)]);
  for (const path of ['/oauth/sign-out', '/oauth/sign-out/success', '/oauth/nothing'])
    for (const browser of [ada, stranger]) pages.push([path, await browser.get(path)]);
  const asked = await stranger.open(authorizeUrl(newVerifier()));
  pages.push(['sign-in', asked.shown]);
  pages.push(['wrong', await stranger.fill(asked.at, asked.shown, { email: 'a@example.com', password: 'wrong' })]);
  pages.push(['over', await stranger.get('/sign-in/nothing')]);
  pages.push(['refused', await stranger.get(authorizeUrl(newVerifier(), { redirect_uri: 'https://evil.example' }))]);
  pages.push(['no code', await ada.send('POST', '/account/forgot', { form: { email: 'ada@example.com' } })]);
  const again = await ada.open(authorizeUrl(newVerifier(), { prompt: 'login' }));
  const other = await ada.fill(again.at, again.shown, { email: 'ben@example.com', password: peoplePassword });
  pages.push(['another person', (await ada.follow(other)).shown]);
  return pages;
}

describe('every page', () => {
  it('when it is shown, nothing runs in it, so nothing posts a message to another window, and nothing frames it', async () => {
    const pages = await allPages();
    for (const [name, { headers, text }] of pages) {
      const said = {
        name,
        text: /<script|javascript:|\son\w+=|style="|postMessage|opener|<iframe|<object/i.exec(text)?.[0],
      };
      expect(said).toEqual({ name, text: undefined });
      if (!headers.get('content-type')?.startsWith('text/html')) continue;
      const policy = headers.get('content-security-policy');
      expect(policy, name).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action [^;]+; frame-ancestors 'none'/,
      );
      expect(policy, name).not.toMatch(/script-src|unsafe/);
      expect(headers.get('x-frame-options'), name).toBe('DENY');
      expect(headers.get('referrer-policy'), name).toBe('same-origin');
      expect(headers.get('cache-control'), name).toMatch(/no-store/);
    }
    expect(
      pages.filter(([, { headers }]) => headers.get('content-type')?.startsWith('text/html')).length,
    ).toBeGreaterThan(25);
  });

  it('when a page of another site asks for it, or for leave to, nothing lets it read the answer', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'GET' };
    const browser = createBrowser(auth);
    const { exchangeHttp } = await auth.as();
    for (const target of [authorizeUrl(newVerifier()), '/account/register', '/oauth/sign-out', '/sign-in/nothing']) {
      const answers = [(await browser.get(target, headers)).raw];
      const question = { method: 'OPTIONS' as const, target, headers, body: '', address: '10.0.0.1' };
      const leave = await exchangeHttp(question);
      if (leave.kind === 'exchanged') answers.push(leave);
      expect(answers).toHaveLength(2);
      for (const answer of answers)
        expect(answer.headers.filter(([name]) => name.startsWith('access-control-'))).toEqual([]);
    }
  });
});

describe('going on without a script', () => {
  it('when there is nobody to sign out, a button leads back to the client', async () => {
    const browser = createBrowser(auth);
    const more = { client_id: 'shop-page', post_logout_redirect_uri: shop.redirect_uri };
    const target = `/oauth/sign-out?${new URLSearchParams(more).toString()}`;
    const shown = await browser.get(target);
    expect(shown.text).toContain('Nobody is signed in');
    expect(shown.headers.get('content-security-policy')).toContain(`form-action 'self' ${publicUrl};`);
    const done = await browser.fill(target, shown, { logout: 'yes' });
    expect([done.status, done.headers.get('location')]).toEqual([303, shop.redirect_uri]);
  });

  it('when somebody signs in where another still is, a button signs that one out, and the code is the new one’s', async () => {
    const browser = createBrowser(auth);
    const tokens = await tokensOf(browser);
    const ben = await signIn(browser, { email: 'ben@example.com', change: { prompt: 'login' } });
    expect(ben.code).toBeUndefined();
    expect(ben.shown.text).toContain('Somebody else was signed in here');
    expect(ben.shown.headers.get('content-security-policy')).toContain(`'self' ${new URL(redirectUri).origin};`);
    const end = await browser.follow(await browser.fill(ben.at, ben.shown, { logout: 'yes' }));
    expect(end.at).toMatch(/[?&]code=/);
    expect((await browser.get('/account')).text).toContain('ben@example.com');
    expect(await refresh(browser, tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  });
});
