import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizeUrl, createBrowser, newVerifier, signIn, startAuth, type Auth } from './test-support.ts';

let auth: Auth;
/** Everything that auth has answered, in order. */
const seen: { method: string; target: string; status: number; location: string | undefined }[] = [];
beforeAll(async () => {
  const started = await startAuth();
  auth = {
    ...started,
    async as(...who) {
      const { exchangeHttp, ...methods } = await started.as(...who);
      return {
        ...methods,
        async exchangeHttp(request, options) {
          const answer = await exchangeHttp(request, options);
          if (answer.kind === 'exchanged') {
            const location = new Map(answer.headers).get('location');
            seen.push({ method: request.method, target: request.target, status: answer.status, location });
          }
          return answer;
        },
      };
    },
  };
});
afterAll(() => auth.close());

const good = 'plain words that nobody has';

describe('a redirect', () => {
  it('when somebody registers, signs in, agrees, says no and signs out, each is a 303: no form is sent on', async () => {
    await auth.database.query(
      `insert into oauth_clients (id, acts_in, first_party, metadata)
       select 'other', acts_in, false, metadata from oauth_clients where id = 'cli'`,
    );
    seen.length = 0;
    const browser = createBrowser(auth);
    await browser.fill('/account/register', await browser.get('/account/register'), {
      ...{ name: 'Otto', email: 'otto@example.com', password: good },
    });
    expect((await signIn(createBrowser(auth), { email: 'otto@example.com', password: good })).at).toContain(
      'check-mail',
    );
    await browser.fill('/account/forgot', await browser.get('/account/forgot'), { email: 'otto@example.com' });
    expect((await signIn(browser)).code).toBeDefined();
    expect((await signIn(browser)).code).toBeDefined();
    expect((await signIn(browser, { change: { prompt: 'login' } })).code).toBeDefined();
    expect((await signIn(createBrowser(auth), { change: { prompt: 'none' } })).error).toBe('login_required');
    expect((await signIn(browser, { change: { response_type: 'token' } })).at).toContain('error=');
    const change = { client_id: 'other', scope: 'openid read' };
    const agrees = await signIn(browser, { change });
    expect(agrees.shown.text).toContain('Do you allow this?');
    expect((await browser.follow(await browser.fill(agrees.at, agrees.shown, {}))).at).toMatch(/[?&]code=/);
    const asked = await browser.open(authorizeUrl(newVerifier(), { prompt: 'login' }));
    await browser.follow(await browser.fill(asked.at, asked.shown, { cancel: 'yes' }));
    const out = await browser.open('/oauth/sign-out');
    await browser.follow(await browser.fill(out.at, out.shown, { logout: 'yes' }));

    const redirects = seen.filter(({ location }) => location !== undefined);
    expect(redirects.filter(({ status }) => status !== 303)).toEqual([]);
    expect(seen.filter(({ status, location }) => status >= 300 && status < 400 && location === undefined)).toEqual([]);
    const sent = redirects.filter(({ method }) => method === 'POST').map(({ target }) => target.split('/')[1]);
    expect(new Set(sent)).toEqual(new Set(['account', 'sign-in', 'oauth']));
    expect(redirects.length).toBeGreaterThan(15);
  });
});
