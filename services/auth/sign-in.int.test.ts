import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  createBrowser,
  newVerifier,
  prolongBlocks,
  signIn,
  startAuth,
  type Auth,
} from './test-support.ts';

let auth: Auth;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.close());

describe('signing in', () => {
  it('when the password is wrong or nobody has the address, the pages are the same', async () => {
    const page = async (email: string) =>
      (await signIn(createBrowser(auth), { email, password: 'wrong wrong wrong' })).shown.text
        .replaceAll(email, '')
        .replace(/value="[^"]*"/g, '');
    expect(await page('admin@example.com')).toBe(await page('nobody@example.com'));
  });

  it('when he says no, the client is told', async () => {
    const browser = createBrowser(auth);
    const { at, shown } = await browser.open(authorizeUrl(newVerifier()));
    const end = await browser.follow(await browser.fill(at, shown, { cancel: 'yes' }));
    expect(end.at).toContain('error=access_denied');
  });
});

describe('guessing', () => {
  it('when a stranger guesses, he is slowed down, and the owner’s own device is not', async () => {
    const email = 'ada@example.com';
    const own = createBrowser(auth);
    expect((await signIn(own, { email })).code).toBeDefined();
    const statuses = [];
    for (let n = 0; n < 8; n++) {
      const stranger = createBrowser(auth, `10.9.0.${n}`);
      statuses.push((await signIn(stranger, { email, password: `wrong guess ${n}` })).answered.status);
    }
    expect(statuses.slice(0, 3)).toEqual([422, 422, 422]);
    expect(statuses).toContain(429);
    await prolongBlocks(auth);
    const right = await signIn(createBrowser(auth, '10.9.1.1'), { email });
    expect(right.answered.headers.get('retry-after')).toMatch(/^\d+$/);

    for (const name of [...own.jar.keys()]) if (name.startsWith('_')) own.jar.delete(name); // signed out; the device stays known
    expect((await signIn(own, { email })).code).toBeDefined();
  });
});

describe('the queue of passwords', () => {
  it('when it is full, whoever comes is told to come back, and everything else goes on', async () => {
    const small = await startAuth({ passwordQueue: 1 });
    try {
      const tries = await Promise.all(
        Array.from({ length: 4 }, (_, n) =>
          signIn(createBrowser(small, `10.8.0.${n}`), { email: `p${n}@example.com` }),
        ),
      );
      const busy = tries.filter(({ answered }) => answered.status === 503);
      expect(busy.length).toBeGreaterThan(0);
      expect(busy[0]?.answered.headers.get('retry-after')).toBe('2');
      expect(await (await small.as()).listKeys({})).toMatchObject({ kind: 'keys' });
    } finally {
      await small.close();
    }
  });
});

describe('consent', () => {
  it('when a client is not ours, its person is asked first, and asked once', async () => {
    await auth.database.query(
      `insert into oauth_clients (id, acts_in, first_party, metadata) values ('other', 'main', false, $1)`,
      [
        JSON.stringify({
          ...{ client_name: 'Other & Sons', token_endpoint_auth_method: 'none', application_type: 'native' },
          ...{ grant_types: ['authorization_code'], redirect_uris: ['http://127.0.0.1/callback'] },
        }),
      ],
    );
    const browser = createBrowser(auth);
    const change = { client_id: 'other', scope: 'openid email read' };
    const asked = await signIn(browser, { email: 'ben@example.com', change });
    expect(asked.code).toBeUndefined();
    expect(asked.shown.text).toContain('Other &amp; Sons');
    expect(asked.shown.text).toContain('see your e-mail address');
    expect(asked.shown.text).not.toContain('in your name');
    const allowed = await browser.follow(await browser.fill(asked.at, asked.shown, {}));
    expect(allowed.at).toMatch(/[?&]code=/);
    expect((await signIn(browser, { email: 'ben@example.com', change })).code).toBeDefined();
    const more = await signIn(browser, {
      email: 'ben@example.com',
      change: { ...change, scope: 'openid email read write' },
    });
    expect(more.shown.text).toContain('in your name');
  });
});
