import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { comeAgain } from './come-again.ts';
import { claimsOf, emailOf, peoplePassword } from './people.ts';
import { secretNamed, type Secrets } from './secrets.ts';
import { UserError } from './user-error.ts';

const clientId = 'cli';
const callback = 'http://127.0.0.1:1/callback'; // never opened: the code is read off the redirect
const scope = 'openid read write';
const mostSteps = 10;
const token = z.object({ access_token: z.string() });

/** Who signs in, and where; the role and the tenant that the token is to be for, where that matters. */
export interface SignIn {
  readonly user: string;
  readonly roles?: readonly string[] | undefined;
  readonly tenant?: string | undefined;
  /** Of the seeded people by default. */
  readonly password?: string | undefined;
}

/**
 * Signs a person in as a browser would, by the authorization code flow with PKCE and the form of auth's own page, and gives
 * the access token. Fails with what to do where the person has not the roles.
 */
export async function signIn(publicUrl: string, secrets: Secrets, who: SignIn): Promise<string> {
  const email = emailOf(who.user);
  const password = who.password ?? secretNamed(secrets, peoplePassword);
  const verifier = randomBytes(32).toString('base64url');
  const code = await codeOf(publicUrl, { email, password, tenant: who.tenant }, verifier);
  const response = await insist(new URL('/oauth/token', publicUrl), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      code_verifier: verifier,
      redirect_uri: callback,
    }),
  });
  if (!response.ok) throw new UserError(`the code was not taken (${await reasonOf(response)})`);
  const { access_token: accessToken } = token.parse(await response.json());
  const { roles, tenant } = claimsOf(accessToken);
  const lacking = (who.roles ?? []).filter((role) => !roles.includes(role));
  if (lacking.length > 0)
    throw new UserError(
      `${email} is ${roles.join(', ') || 'nothing'}, not ${lacking.join(', ')}: an admin can grant it`,
    );
  if (who.tenant !== undefined && who.tenant !== tenant)
    throw new UserError(`${email} signs in to the tenant ${tenant}, not ${who.tenant}`);
  return accessToken;
}

async function codeOf(
  publicUrl: string,
  { email, password, tenant }: { email: string; password: string; tenant: string | undefined },
  verifier: string,
): Promise<string> {
  const state = randomBytes(16).toString('base64url');
  const question = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: callback,
    scope,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(tenant !== undefined && { tenant }),
  });
  const visit = browser(publicUrl);
  let response = await visit(`/oauth/authorize?${question.toString()}`);
  let filled = false;
  for (let step = 0; step < mostSteps; step++) {
    const location = response.headers.get('location');
    if (location !== null) {
      const target = new URL(location, response.url || publicUrl);
      if (!target.href.startsWith(callback)) {
        response = await visit(target.pathname + target.search);
        continue;
      }
      const { searchParams } = target;
      const code = searchParams.get('code');
      if (code !== null && searchParams.get('state') === state) return code;
      const words = [searchParams.get('error'), searchParams.get('error_description')].filter(Boolean).join(': ');
      throw new UserError(`${email} was not signed in (${words || 'no code came back'})`);
    }
    const page = await response.text();
    const form = formOf(page);
    if (!form || filled) throw new UserError(`${email} was not signed in (${response.status} ${wordsOf(page)})`);
    filled = true;
    const body = new URLSearchParams(form.fields);
    if (form.email !== undefined) body.set(form.email, email);
    if (form.password !== undefined) body.set(form.password, password);
    response = await visit(form.action ?? response.url, body);
  }
  throw new UserError(`${email} was sent on ${mostSteps} times, and never back`);
}

/** Asks again when it is told to come again: where the limits can't be counted for a moment, nobody may sign in. */
const insist = (url: URL, request: RequestInit): Promise<Response> =>
  comeAgain([503], () => fetch(url, { ...request, signal: AbortSignal.timeout(10_000) }));

/** Fetches pages of one site, keeps its cookies, and follows nothing by itself. */
function browser(publicUrl: string) {
  const { origin } = new URL(publicUrl);
  const cookies = new Map<string, string>();
  return async (path: string, form?: URLSearchParams): Promise<Response> => {
    const response = await insist(new URL(path, publicUrl), {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        ...(form && { origin, 'sec-fetch-site': 'same-origin' }),
        ...(cookies.size > 0 && { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
      },
      body: form ?? null,
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (value === '' || /;\s*(max-age=0|expires=thu, 01 jan 1970)/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
}

interface Form {
  readonly action: string | undefined;
  readonly fields: Record<string, string>;
  readonly email: string | undefined;
  readonly password: string | undefined;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" };
const decoded = (text: string) => text.replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole);

/** The form of a page that asks for a password: its target, its hidden fields, and how the two that are typed are called. */
export function formOf(html: string): Form | undefined {
  for (const [, attributes = '', inner = ''] of html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)) {
    const inputs = [...inner.matchAll(/<input\b([^>]*)>/gi)].map(([, text = '']) => attributesOf(text));
    const named = (type: string) => inputs.find((input) => input['type'] === type)?.['name'];
    const password = named('password');
    if (password === undefined) continue;
    const hidden = inputs.filter((input) => input['type'] === 'hidden');
    return {
      action: attributesOf(attributes)['action'],
      fields: Object.fromEntries(hidden.map((input) => [input['name'] ?? '', input['value'] ?? ''])),
      email: named('email') ?? inputs.find((input) => input['name'] === 'email')?.['name'],
      password,
    };
  }
  return undefined;
}

const attributesOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, name = '', double, single]) => [
      name.toLowerCase(),
      decoded(double ?? single ?? ''),
    ]),
  );

const wordsOf = (html: string): string =>
  decoded(html.replace(/<(style|script|head)\b.*?<\/\1>/gis, '').replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);

const reasonOf = async (response: Response): Promise<string> =>
  `${response.status} ${(await response.text()).slice(0, 300)}`;
