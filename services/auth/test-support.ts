import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { z } from 'zod';
import { createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService } from '../_chassis/test-support/service.ts';
import { buildApp, type Settings } from './app.ts';
import { authContract, type Exchanged } from './contract.ts';
import { seed } from './seed.ts';

export const publicUrl = 'http://127.0.0.1:8080';
export const peoplePassword = 'four quiet unrelated words';
export const reporterSecret = 'the secret of the reporter, long enough';
/** How the client `reporter` proves who it is (RFC 6749, 2.3.1). */
export const asReporter = {
  authorization: `Basic ${Buffer.from(`reporter:${encodeURIComponent(reporterSecret)}`).toString('base64')}`,
};
const secrets: Readonly<Record<string, string>> = { peoplePassword, reporterClientSecret: reporterSecret };

/** Auth on a database of its own, seeded. */
export async function startAuth(change: Partial<Settings> = {}, workers = false) {
  const database = await createTestDatabase('auth', new URL('./migrations', import.meta.url));
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await seed(client, (name) => secrets[name] ?? '');
  await client.end();
  const settings = {
    ...{ publicUrl, sealingKey: 'a sealing key', cookieKey: 'a cookie key', passwordQueue: 16 },
    ...{ rotationMs: 86_400_000, leadMs: 3_600_000 },
    ...change,
  };
  return startTestService({
    contract: authContract,
    database,
    workers,
    buildApp: (deps) => buildApp({ ...deps }, settings),
  });
}
export type Auth = Awaited<ReturnType<typeof startAuth>>;

/** Makes the waits that guesses at accounts have earned an hour long: a slow machine would outlast the second they are. */
export const prolongBlocks = (auth: Auth) =>
  auth.database.query(
    `update tries set blocked_until = clock_timestamp() + interval '1 hour' where key like 'account:%' and failures > 5`,
  );

/** A response with its text; `headers` has the last of each name. */
export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly raw: Exchanged;
}

/** A client of auth's HTTP that keeps cookies by path, as a browser does, and sends forms. */
export function createBrowser(auth: Auth, address = '10.0.0.1') {
  const jar = new Map<string, { value: string; path: string }>();

  async function send(
    method: 'GET' | 'POST',
    target: string,
    options: { form?: Record<string, string>; headers?: Record<string, string>; key?: string } = {},
  ): Promise<Answered> {
    const url = new URL(target, publicUrl);
    const cookie = [...jar]
      .filter(([, { path }]) => url.pathname.startsWith(path))
      .map(([name, { value }]) => `${name.split(' ')[0] ?? ''}=${value}`)
      .join('; ');
    const answer = await (
      await auth.as()
    ).exchangeHttp(
      {
        method,
        target: url.pathname + url.search,
        headers: {
          host: 'anything',
          accept: 'text/html,*/*',
          ...(cookie !== '' && { cookie }),
          ...(options.form && { 'content-type': 'application/x-www-form-urlencoded', origin: publicUrl }),
          ...options.headers,
        },
        body: Buffer.from(new URLSearchParams(options.form).toString()).toString('base64'),
        address,
      },
      options.key === undefined ? {} : { idempotencyKey: options.key },
    );
    if (answer.kind !== 'exchanged') throw new Error(answer.kind);
    for (const [name, value] of answer.headers) {
      const [, key = '', content = ''] = name === 'set-cookie' ? (/^([^=]+)=([^;]*)/.exec(value) ?? []) : [];
      if (key === '') continue;
      const path = /path=([^;]+)/i.exec(value)?.[1] ?? '/';
      if (content === '') jar.delete(`${key} ${path}`);
      else jar.set(`${key} ${path}`, { value: content, path });
    }
    return {
      status: answer.status,
      text: Buffer.from(answer.body, 'base64').toString('utf8'),
      headers: new Map(answer.headers),
      raw: answer,
    };
  }

  const get = (target: string, headers?: Record<string, string>) => send('GET', target, headers ? { headers } : {});

  /** Fills in the form of a page that is there, hidden fields included. */
  async function fill(at: string, shown: Answered, fields: Record<string, string>): Promise<Answered> {
    const hidden = [...shown.text.matchAll(/<input\s+type="hidden"\s+name="(\w+)"\s+value="([^"]*)"/g)];
    const form = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
    const action = /<form\s+method="post"\s+action="([^"]+)"/.exec(shown.text)?.[1];
    return send('POST', action ?? at, { form: { ...form, ...fields } });
  }

  /** Follows redirects until one leads away, or a page is shown. */
  async function follow(first: Answered): Promise<{ at: string; shown: Answered }> {
    let shown = first;
    let at = '';
    for (let steps = 0; steps < 10 && shown.headers.has('location'); steps++) {
      at = shown.headers.get('location') ?? '';
      const path = new URL(at, publicUrl).pathname;
      if (!/^\/(oauth|sign-in|account)\b/.test(path) || !at.startsWith('/') === !at.startsWith(publicUrl)) break;
      shown = await get(at);
    }
    return { at, shown };
  }

  async function open(target: string) {
    const { at, shown } = await follow(await get(target));
    return { at: at === '' ? target : at, shown };
  }
  return { send, get, fill, follow, open, jar };
}
export type Browser = ReturnType<typeof createBrowser>;

export const redirectUri = 'http://127.0.0.1:49152/callback';
export const newVerifier = () => randomBytes(32).toString('base64url');

/** The address of an authorization request, for `cli` unless another is said. */
export function authorizeUrl(verifier: string, change: Record<string, string> = {}): string {
  const params = {
    client_id: 'cli',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid profile email read write',
    state: 'the state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...change,
  };
  return `/oauth/authorize?${new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString()}`;
}

/** Signs somebody in through the pages, and gives the code. */
export async function signIn(
  browser: Browser,
  who: { email?: string; password?: string; verifier?: string; change?: Record<string, string> } = {},
) {
  const verifier = who.verifier ?? newVerifier();
  const { at, shown } = await browser.open(authorizeUrl(verifier, who.change));
  const credentials = { email: who.email ?? 'ada@example.com', password: who.password ?? peoplePassword };
  const answered = at.includes('/sign-in/') ? await browser.fill(at, shown, credentials) : shown;
  const end = await browser.follow(answered);
  const back = URL.parse(end.at)?.searchParams;
  return { ...end, answered, verifier, code: back?.get('code') ?? undefined, error: back?.get('error') ?? undefined };
}

const tokenAnswer = z.looseObject({
  status: z.number(),
  access_token: z.string().optional(),
  refresh_token: z.string().optional(),
  id_token: z.string().optional(),
});

/** A POST to a token endpoint, and its JSON. */
export async function post(browser: Browser, path: string, form: Record<string, string>, headers = {}) {
  const answer = await browser.send('POST', path, { form, headers: { accept: 'application/json', ...headers } });
  return tokenAnswer.parse({
    ...z.record(z.string(), z.unknown()).parse(JSON.parse(answer.text)),
    status: answer.status,
  });
}

export const redeem = (browser: Browser, code: string | undefined, verifier: string, change = {}) =>
  post(browser, '/oauth/token', {
    ...{ grant_type: 'authorization_code', client_id: 'cli', redirect_uri: redirectUri },
    ...{ code: code ?? '', code_verifier: verifier },
    ...change,
  });
export const refresh = (browser: Browser, token: string | undefined) =>
  post(browser, '/oauth/token', { grant_type: 'refresh_token', client_id: 'cli', refresh_token: token ?? '' });

/** Signs in and redeems the code. */
export async function tokensOf(browser: Browser, who: Parameters<typeof signIn>[1] = {}) {
  const { code, verifier } = await signIn(browser, who);
  return redeem(browser, code, verifier);
}
