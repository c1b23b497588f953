import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateSigningKey, signToken } from '../../services/_chassis/test-support/issuer.ts';
import { emailOf } from './people.ts';
import { formOf, signIn } from './sign-in.ts';

const seen: { cookie: string | undefined; origin: string | undefined; form: URLSearchParams }[] = [];
let publicUrl: string;
let challenge = '';
let state = '';
/** How many requests are told to come again before one is taken. */
let refusals = 0;

/** As auth does it: a question, a page with a form, a way back with a code, and a token for it. */
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '', 'http://issuer');
  const send = (status: number, headers: Record<string, string>, body = '') =>
    response.writeHead(status, headers).end(body);
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const form = new URLSearchParams(body);
    if (refusals > 0) {
      refusals -= 1;
      send(503, { 'retry-after': '1' }, '{"title":"Come again"}');
    } else if (url.pathname === '/oauth/authorize') {
      challenge = url.searchParams.get('code_challenge') ?? '';
      state = url.searchParams.get('state') ?? '';
      send(303, { location: '/sign-in/x', 'set-cookie': 'way=1; Path=/; HttpOnly' });
    } else if (url.pathname === '/sign-in/x' && request.method === 'GET') {
      const fields = '<input name="email" type="email"><input type="password" name="password">';
      const form = `<form method="post"><input type="hidden" name="guard" value="a&amp;b">${fields}</form>`;
      send(200, { 'content-type': 'text/html' }, `<h1>Sign in</h1>${form}<form><input name="cancel"></form>`);
    } else if (url.pathname === '/sign-in/x') {
      seen.push({ cookie: request.headers.cookie, origin: request.headers.origin, form });
      if (form.get('password') === 'right')
        send(303, { location: `http://127.0.0.1:1/callback?code=c&state=${state}` });
      else send(422, {}, '<form><input type="password" name="password"></form><p>They don’t fit together.</p>');
    } else {
      const verifier = createHash('sha256').update(form.get('code_verifier') ?? '');
      if (verifier.digest('base64url') !== challenge) return void send(400, {}, '{"error":"invalid_grant"}');
      void token().then((access_token) => send(200, {}, JSON.stringify({ access_token })));
    }
  });
});

async function token(): Promise<string> {
  const { privateKey } = await generateSigningKey();
  return signToken(privateKey, { sub: '1', roles: ['customer'] });
}

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  publicUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => server.close());

const secrets = { peoplePassword: 'right' };

describe('signing in without a browser', () => {
  it('when the person has the role, the form is sent as a browser would, and the token comes back', async () => {
    expect(await signIn(publicUrl, secrets, { user: 'ada', roles: ['customer'] })).toMatch(
      /^ey[\w-]+\.[\w-]+\.[\w-]+$/,
    );
    const [{ cookie, origin, form } = { form: new URLSearchParams(), cookie: '', origin: '' }] = seen;
    expect({ cookie, origin, form: Object.fromEntries(form) }).toEqual({
      cookie: 'way=1',
      origin: publicUrl,
      form: { guard: 'a&b', email: 'ada@example.com', password: 'right' },
    });
  });

  it('when it is told to come again, it does, and not for ever', async () => {
    refusals = 2;
    expect(await signIn(publicUrl, secrets, { user: 'ada' })).toMatch(/^ey/);
    refusals = 100;
    await expect(signIn(publicUrl, secrets, { user: 'ada' })).rejects.toThrow('ada@example.com was not signed in (503');
    expect(refusals).toBe(95);
    refusals = 0;
  });

  it('when the person has not the role, or is of another tenant, it is said', async () => {
    await expect(signIn(publicUrl, secrets, { user: '1', roles: ['admin'] })).rejects.toThrow(
      'ada@example.com is customer, not admin',
    );
    await expect(signIn(publicUrl, secrets, { user: '1', tenant: 'other' })).rejects.toThrow(
      'the tenant main, not other',
    );
  });

  it('when the password is wrong, what the page says is passed on', async () => {
    await expect(signIn(publicUrl, secrets, { user: '1', password: 'wrong' })).rejects.toThrow('fit together');
  });

  it('when a person is named, that is by id, name or e-mail', () => {
    expect(['1', 'ada', 'Ada', 'ADA@example.com'].map(emailOf)).toEqual(Array(4).fill('ada@example.com'));
    expect(emailOf('Eve@other.test')).toBe('eve@other.test');
    expect(() => emailOf('6')).toThrow(/1 \(ada\).*5 \(admin\)/);
  });

  it('when a page has no form for a password, it has none', () => {
    expect(formOf('<form><input type="hidden" name="a" value="b"></form>')).toBeUndefined();
  });
});
