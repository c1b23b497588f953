import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createBrowser,
  peoplePassword,
  prolongBlocks,
  publicUrl,
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

const mail = z.object({ to: z.string(), subject: z.string(), text: z.string() });
const mailsTo = async (email: string) =>
  (await auth.emitted())
    .filter(({ topic }) => topic === 'notifications.requests')
    .map(({ data }) => mail.parse(data))
    .filter(({ to }) => to === email);
const linkTo = async (email: string) =>
  /\/account\/\S+token=\S+/.exec((await mailsTo(email)).at(-1)?.text ?? '')?.[0] ?? 'no link';
const told = async (type: string, subject?: string) =>
  (await auth.emitted()).filter((event) => event.type.endsWith(type) && (subject ?? event.subject) === event.subject);
const good = 'plain words that nobody has';

async function submit(path: string, fields: Record<string, string>, address?: string) {
  const browser = createBrowser(auth, address);
  const { at, shown } = await browser.open(path);
  return browser.fill(at, shown, fields);
}

async function register(email: string, address?: string) {
  return submit('/account/register', { name: 'Nora', email, password: good }, address);
}

describe('registering', () => {
  it('when the mail’s link is followed, the person may sign in, and not before; the link works once', async () => {
    const answer = await register('Nora@Example.com ');
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/account/check-mail']);
    const early = await signIn(createBrowser(auth), { email: 'nora@example.com', password: good });
    expect(early.at).toBe('/account/check-mail');

    const link = await linkTo('nora@example.com');
    expect((await createBrowser(auth).get(link)).status).toBe(200); // looking uses nothing up
    expect((await submit(link, {})).text).toContain('confirmed');
    expect((await createBrowser(auth).get(link)).status).toBe(400);
    expect(await tokensOf(createBrowser(auth), { email: 'nora@example.com', password: good })).toMatchObject({
      status: 200,
    });
    const [registered] = await told('account.registered.v1');
    expect(registered?.data).toMatchObject({ name: 'Nora', email: 'nora@example.com' });
    expect(await told('account.verified.v1', registered?.subject)).toHaveLength(1);
  });

  it('when the address has an account, the answer is the same, and only its owner is told', async () => {
    const known = await register('ada@example.com');
    const fresh = await register('fresh@example.com');
    expect({ ...known.raw, headers: [] }).toEqual({ ...fresh.raw, headers: [] });
    expect((await mailsTo('ada@example.com')).at(-1)?.subject).toBe('You have an account already');
    expect((await signIn(createBrowser(auth), { password: good })).code).toBeUndefined();
  });

  it('when the password is a common one, short, or the address itself, it is refused', async () => {
    for (const password of ['short', 'password12345', 'abcabcabcabc', 'longish@example.com', 'x'.repeat(129)])
      expect((await submit('/account/register', { name: 'L', email: 'longish@example.com', password })).status).toBe(
        422,
      );
  });
});

describe('a form', () => {
  it('when it comes from another site, or without its code, it does nothing', async () => {
    const browser = createBrowser(auth);
    const shown = await browser.get('/account/forgot');
    const form = { email: 'ben@example.com', form: /name="form"\s+value="([^"]*)"/.exec(shown.text)?.[1] ?? '' };
    const evil = await browser.send('POST', '/account/forgot', { form, headers: { origin: 'http://evil.example' } });
    const bare = await browser.send('POST', '/account/forgot', { form: { email: 'ben@example.com' } });
    const other = await createBrowser(auth).send('POST', '/account/forgot', { form });
    const sites = ['cross-site', 'same-site', 'none', 'same-origin, none'].map((site) => ({ 'sec-fetch-site': site }));
    for (const headers of sites)
      expect((await browser.send('POST', '/account/forgot', { form, headers })).status).toBe(403);
    expect([evil.status, bare.status, other.status]).toEqual([403, 403, 403]);
    expect(await mailsTo('ben@example.com')).toEqual([]);
    expect((await browser.send('POST', '/account/forgot', { form })).status).toBe(303);
  });

  it('when the browser says that it is the same origin, it is taken, by whatever name that was reached', async () => {
    const browser = createBrowser(auth);
    const shown = await browser.get('/account/forgot');
    const form = { email: 'nobody@example.com', form: /name="form"\s+value="([^"]*)"/.exec(shown.text)?.[1] ?? '' };
    const headers = { origin: 'https://localhost:8443', 'sec-fetch-site': 'same-origin' };
    expect((await browser.send('POST', '/account/forgot', { form, headers })).status).toBe(303);
  });

  it('when a page is shown, no script runs in it, and no other site frames it', async () => {
    const { headers, text } = await createBrowser(auth).get('/account/register');
    expect(headers.get('content-security-policy')).toMatch(
      /default-src 'none'; style-src 'sha256-.*frame-ancestors 'none'/,
    );
    expect(text).not.toMatch(/<script|style="|onclick/);
    expect(headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Lax/);
  });
});

describe('a forgotten password', () => {
  it('when strangers keep guessing, the owner gets in by it on a new device, and they stay out', async () => {
    const email = 'admin@example.com';
    const guess = (n: number) => signIn(createBrowser(auth, `10.7.0.${n}`), { email, password: `wrong guess ${n}` });
    for (let n = 0; n < 8; n++) await guess(n);
    await prolongBlocks(auth);
    const browser = createBrowser(auth, '10.7.1.1');
    const refused = await signIn(browser, { email });
    expect([refused.answered.status, refused.answered.text]).toEqual([429, expect.stringContaining('/account/forgot')]);
    await browser.fill('/account/forgot', await browser.get('/account/forgot'), { email });
    const link = await linkTo(email);
    expect((await browser.fill(link, await browser.get(link), { password: good })).status).toBe(200);
    expect((await guess(9)).answered.status).toBe(429);
    expect((await signIn(browser, { email, password: good })).code).toBeDefined();
  });

  it('when the link is used, the new password holds, the old one doesn’t, and all sessions end', async () => {
    const before = await tokensOf(createBrowser(auth), { email: 'staff@example.com' });
    const known = await submit('/account/forgot', { email: 'staff@example.com' });
    const unknown = await submit('/account/forgot', { email: 'nobody@example.com' });
    expect({ ...known.raw, headers: [] }).toEqual({ ...unknown.raw, headers: [] });
    expect((await mailsTo('nobody@example.com'))[0]?.subject).toBe('No account with this address');

    const link = await linkTo('staff@example.com');
    expect((await submit(link, { password: good })).text).toContain('Your password is set');
    expect((await createBrowser(auth).get(link)).status).toBe(400);
    expect((await signIn(createBrowser(auth), { email: 'staff@example.com' })).code).toBeUndefined();
    expect(await tokensOf(createBrowser(auth), { email: 'staff@example.com', password: good })).toMatchObject({
      status: 200,
    });
    expect(await refresh(createBrowser(auth), before.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  });

  it('when somebody asks again and again, only the first few mails are sent, and he is told the same', async () => {
    for (let n = 0; n < 6; n++)
      expect((await submit('/account/forgot', { email: 'often@example.com' })).headers.get('location')).toBe(
        '/account/check-mail',
      );
    expect((await mailsTo('often@example.com')).length).toBeLessThan(6);
  });
});

describe('one’s own pages', () => {
  it('when the password is changed, the old one is asked for, and everything is signed out', async () => {
    const browser = createBrowser(auth);
    const tokens = await tokensOf(browser, { email: 'warehouse@example.com' });
    const shown = await browser.get('/account/password');
    const wrong = await browser.fill('/account/password', shown, { current: 'not it at all', password: good });
    expect(wrong.status).toBe(422);
    const right = await browser.fill('/account/password', shown, { current: peoplePassword, password: good });
    expect(right.text).toContain('Your password is changed');
    expect(await refresh(browser, tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect((await browser.get('/account')).status).toBe(403);
  });

  it('when somebody signs out everywhere, his other devices are out too', async () => {
    const email = 'ben@example.com';
    const [here, there] = [createBrowser(auth), createBrowser(auth)];
    const tokens = await tokensOf(there, { email });
    await signIn(here, { email });
    const done = await here.fill('/account/sign-out', await here.get('/account/sign-out'), {});
    expect(done.text).toContain('signed out everywhere');
    expect(await refresh(there, tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect((await there.get('/account')).status).toBe(403);
  });
});

it('when mails are sent, their links lead to the public URL', async () => {
  await register('links@example.com', '10.7.0.1');
  expect((await mailsTo('links@example.com'))[0]?.text).toContain(`${publicUrl}/account/verify?token=`);
});
