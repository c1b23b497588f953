import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { authContract } from '../auth/contract.ts';
import { replyOf } from './exchange.ts';
import { open } from './parts.ts';
import { refused } from './problems.ts';
import type { Input, Question, Route } from './route.ts';

type Asked = Route & { question: Question };
type Row = Pick<Route, 'method' | 'path' | 'does' | 'answers'> & Partial<Pick<Route, 'query' | 'form' | 'limit'>>;

/** A row whose requests auth answers itself. */
const passed = (row: Row): Asked => ({
  ...open,
  ...row,
  passedOn: true,
  question: {
    asks: ['auth.exchangeHttp'],
    answerWith(connect) {
      const { exchangeHttp } = connect(authContract);
      return async ({ exchange }: Input<{ passedOn: true }>) => {
        const answer = await exchangeHttp(exchange, { idempotencyKey: randomUUID() });
        return answer.kind === 'exchanged' ? replyOf(answer) : Promise.reject(refused(answer));
      };
    },
  },
});

type Answers = Route['answers'];
const html = { body: 'html' } as const;
const shown: Answers = { 200: html };
const there: Answers = { 303: { headers: ['location'] } };
const later = { ...html, headers: ['retry-after'] } as const;
const unreadable: Answers = { 400: html };

const json = z.looseObject({});
const oauthError = z.looseObject({ error: z.string(), error_description: z.string().optional() });
const answered = (body: z.ZodType): Answers => ({
  200: { body },
  400: { body: oauthError },
  401: { body: oauthError, headers: ['www-authenticate'] },
});
const signIn = { limit: 'sign-in' } as const;

const text = z.string();
const maybe = text.optional();
const client = { client_id: maybe, client_secret: maybe };
const token = z.object({ ...client, token: text, token_type_hint: maybe });
const link = z.object({ token: maybe });
const email = text.max(254);
const password = text.max(512);

/** What is shown and taken under one path of auth's own pages; a form comes back with what its page has put into it. */
const pageRows = <Name extends string>(
  name: Name,
  row: { path: string; what: string; fields?: z.ZodRawShape; query?: z.ZodObject; shows?: Answers; sends?: Answers },
) => {
  const { path, what, fields, query, shows, sends } = row;
  return {
    [`show${name}`]: passed({
      ...{ method: 'GET', path, does: `shows the page ${what}`, answers: { ...shown, ...shows } },
      ...(query && { query }),
    }),
    [`send${name}`]: passed({
      ...{ method: 'POST', path, does: `takes the form ${what}`, form: z.object({ form: text, ...fields }) },
      answers: { ...shown, ...there, 403: html, 422: html, 429: later, 503: later, ...sends },
      ...signIn,
    }),
  } as Readonly<Record<`show${Name}` | `send${Name}`, Asked>>;
};

/** OAuth 2.1 and OpenID Connect, and the pages of accounts. */
export const authRoutes = {
  showIssuer: passed({
    method: 'GET',
    path: '/.well-known/openid-configuration',
    does: 'describes the issuer of tokens (OpenID Connect Discovery)',
    answers: { 200: { body: json } },
  }),
  showKeys: passed({
    method: 'GET',
    path: '/oauth/jwks',
    does: 'lists the public keys of tokens (RFC 7517)',
    answers: { 200: { body: z.object({ keys: z.array(json) }), type: 'application/jwk-set+json' } },
  }),
  authorize: passed({
    method: 'GET',
    path: '/oauth/authorize',
    does: 'begins a sign-in (code and PKCE)',
    query: z.object({
      ...{ response_type: z.literal('code'), client_id: text, redirect_uri: maybe, scope: maybe, state: maybe },
      ...{ nonce: maybe, code_challenge: text, code_challenge_method: z.literal('S256'), prompt: maybe },
      ...{ resource: maybe, tenant: maybe },
    }),
    answers: { ...there, ...unreadable },
    ...signIn,
  }),
  continueAuthorization: passed({
    method: 'GET',
    path: '/oauth/authorize/{uid}',
    does: 'goes on with a sign-in, and back to the client with a code',
    answers: { ...there, ...unreadable },
  }),
  giveToken: passed({
    method: 'POST',
    path: '/oauth/token',
    does: 'gives tokens for a code, a refresh token or client credentials',
    form: z.object({
      ...{ grant_type: z.enum(['authorization_code', 'refresh_token', 'client_credentials']), ...client },
      ...{
        code: maybe,
        redirect_uri: maybe,
        code_verifier: maybe,
        refresh_token: maybe,
        scope: maybe,
        resource: maybe,
      },
    }),
    answers: answered(z.looseObject({ access_token: z.string(), token_type: z.string(), expires_in: z.number() })),
    ...signIn,
  }),
  introspect: passed({
    method: 'POST',
    path: '/oauth/introspect',
    does: 'says what a token is (RFC 7662)',
    form: token,
    answers: answered(z.looseObject({ active: z.boolean() })),
  }),
  revoke: passed({
    method: 'POST',
    path: '/oauth/revoke',
    does: 'ends a refresh token (RFC 7009)',
    form: token,
    answers: { ...answered(json), 200: {} },
  }),
  showUserinfo: passed({
    method: 'GET',
    path: '/oauth/userinfo',
    does: 'says who the bearer of the token is (OpenID Connect)',
    answers: { ...answered(z.looseObject({ sub: text })), 403: { body: oauthError, headers: ['www-authenticate'] } },
  }),
  showSignOut: passed({
    method: 'GET',
    path: '/oauth/sign-out',
    does: 'asks whether to sign out',
    query: z.object({ ...{ id_token_hint: maybe, client_id: maybe, post_logout_redirect_uri: maybe, state: maybe } }),
    answers: { ...shown, ...unreadable },
  }),
  signOut: passed({
    method: 'POST',
    path: '/oauth/sign-out/confirm',
    does: 'signs out',
    form: z.object({ xsrf: text, logout: maybe }),
    answers: { ...there, ...unreadable },
  }),
  showSignedOut: passed({
    method: 'GET',
    path: '/oauth/sign-out/success',
    does: 'says that one is signed out',
    query: z.object({ client_id: maybe }),
    answers: { ...shown, ...unreadable },
  }),
  ...pageRows('SignIn', {
    path: '/sign-in/{uid}',
    what: 'by which one signs in, or agrees to what a client asks',
    fields: { email: email.optional(), password: password.optional(), cancel: maybe },
    shows: { ...there, ...unreadable },
    sends: unreadable,
  }),
  ...pageRows('Registration', {
    ...{ path: '/account/register', what: 'by which one registers' },
    fields: { name: text.max(120), email, password },
  }),
  ...pageRows('Verification', {
    ...{ path: '/account/verify', what: 'by which one confirms an address', query: link, fields: { token: text } },
    ...{ shows: unreadable, sends: unreadable },
  }),
  ...pageRows('Forgotten', {
    ...{ path: '/account/forgot', what: 'by which one asks for a new password', fields: { email } },
  }),
  ...pageRows('Reset', {
    ...{ path: '/account/reset', what: 'by which one sets a new password', query: link },
    ...{ fields: { token: text, password }, shows: unreadable, sends: unreadable },
  }),
  ...pageRows('Password', {
    ...{ path: '/account/password', what: 'by which one changes the password' },
    ...{ fields: { who: text, current: password, password }, shows: { 403: html } },
  }),
  ...pageRows('SignOutHere', {
    ...{ path: '/account/sign-out', what: 'by which one signs out, here or everywhere', shows: { 403: html } },
  }),
  showCheckMail: passed({
    ...{ method: 'GET', path: '/account/check-mail', does: 'says that a mail is on its way', answers: shown },
  }),
  showAccount: passed({
    ...{ method: 'GET', path: '/account', does: 'shows who is signed in, and what he can do' },
    answers: { ...shown, 403: html },
  }),
} satisfies Record<string, Route>;
