import inject from 'light-my-request';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { Call, Methods } from '../_chassis/call.ts';
import type { Database, Transaction } from '../_chassis/database.ts';
import { once } from '../_chassis/idempotency.ts';
import { home } from './account.ts';
import { currentExchange, type Exchange } from './adapter.ts';
import { exchanged, type authContract, type Exchanged, type HttpRequest } from './contract.ts';
import { PasswordsBusy } from './passwords.ts';
import type { Sealing } from './sealing.ts';
import {
  createFormGuard,
  readCookies,
  show,
  showLater,
  type Cookie,
  type Page,
  type Reply,
  type Step,
  type Visit,
} from './visit.ts';
import { html } from './html.ts';

/** Answers a request before any transaction, or undefined. */
export type Shortcut = (request: HttpRequest, url: URL, pass: Pass) => Promise<Exchanged | undefined>;
/** Has oidc-provider answer a request. */
export type Pass = (request: HttpRequest) => Promise<Exchanged>;

export interface ExchangeDeps {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly publicUrl: string;
  readonly provider: () => Promise<Provider>;
  /** Auth's own pages, by path. */
  readonly page: (path: string) => Page | undefined;
  readonly shortcut: Shortcut;
}

const formType = 'application/x-www-form-urlencoded';
/** Whatever somebody says that he accepts: where people are sent, an error is a page, and for programs it is JSON. */
const isForPeople = ({ target }: HttpRequest) => /^\/oauth\/(authorize|sign-out)\b/.test(target);
const bodyOf = (request: HttpRequest) => Buffer.from(request.body, 'base64');
/** A form's fields; none for another kind of body. */
export const fieldsOf = (request: HttpRequest): URLSearchParams =>
  new URLSearchParams(request.headers['content-type']?.startsWith(formType) ? bodyOf(request).toString('utf8') : '');

/** HTTP as data, into oidc-provider and the pages: each exchange is one transaction, and what is repeated is answered as before. */
export function createExchange(deps: ExchangeDeps): Methods<typeof authContract>['exchangeHttp'] {
  const { database, sealing, publicUrl } = deps;
  const guard = createFormGuard(sealing, publicUrl);
  const secure = publicUrl.startsWith('https:');
  const { host, protocol } = new URL(publicUrl);

  const setCookie = ([name, value, maxAge]: Cookie) =>
    `${name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;

  /** What makes the answer within the transaction: a page's step, a reply that is there already, or oidc-provider. */
  type Work = Step | Reply | 'provider';

  async function prepare(request: HttpRequest, url: URL, page: Page, visit: Visit): Promise<Step | Reply> {
    const handler = request.method === 'POST' ? page.post : request.method === 'OPTIONS' ? undefined : page.get;
    if (!handler)
      return show('This page has nothing to send', html`<p><a href="${url.pathname}">Open it</a>.</p>`, {
        status: 405,
      });
    if (request.method === 'POST' && !guard.accepts(request.headers, visit.cookies, visit.form))
      return show(
        'Send this form again',
        html`<p>It did not come from this page, or your browser keeps no cookies.</p>`,
        { status: 403 },
      );
    try {
      return await handler(visit);
    } catch (error) {
      if (error instanceof PasswordsBusy) return showLater(2_000, 503);
      throw error;
    }
  }

  function write(response: ServerResponse, reply: Reply, cookie: ReturnType<typeof guard.issue>['cookie']): void {
    response.statusCode = reply.status;
    for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
    if (reply.location !== undefined) response.setHeader('location', reply.location);
    for (const one of [...(cookie ? [cookie] : []), ...(reply.cookies ?? [])])
      response.appendHeader('set-cookie', setCookie(one));
    response.end(reply.body ?? '');
  }

  async function answer(
    tx: Transaction,
    provider: Provider,
    request: HttpRequest,
    work: Work,
    cookie: ReturnType<typeof guard.issue>['cookie'],
  ): Promise<Exchanged> {
    const exchange: Exchange = { tx };
    const handle = provider.callback();
    const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
      const done =
        work === 'provider'
          ? Promise.resolve(handle(incoming, response))
          : Promise.resolve(
              typeof work === 'function' ? work(tx, { provider, request: incoming, response }) : work,
            ).then((reply) => write(response, reply, cookie));
      done.catch((error: unknown) => {
        exchange.failure ??= error;
        response.destroy(errorOf(error));
      });
    };
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !name.startsWith('x-forwarded-') && name !== 'content-length'),
    );
    const result = await currentExchange
      .run(
        exchange,
        async () =>
          // Awaited here, because only that sets it off.
          await inject(listener, {
            method: request.method,
            url: request.target,
            headers: {
              ...headers,
              ...{ host, 'x-forwarded-proto': protocol.slice(0, -1), 'x-forwarded-host': host },
              accept: isForPeople(request) ? 'text/html' : 'application/json',
            },
            payload: bodyOf(request),
          }),
      )
      .catch((error: unknown) => {
        exchange.failure ??= error;
      });
    // What oidc-provider has turned into a page of its own: nothing of the transaction may stay.
    if (exchange.failure !== undefined || !result) throw errorOf(exchange.failure);
    return toExchanged(result);
  }

  const requestId = (request: HttpRequest) => sealing.codeFor(`request\0${JSON.stringify(request)}`);

  async function transact(
    request: HttpRequest,
    call: Call,
    changes: boolean,
    work: (tx: Transaction) => Promise<Exchanged>,
  ): ReturnType<Methods<typeof authContract>['exchangeHttp']> {
    if (!changes) return database.of(home).transaction(work);
    const about = `answer ${call.idempotencyKey}`;
    // The hash of the request would tell a guesser of passwords when he is right; a keyed one doesn't.
    const recorded = await once(
      database,
      { ...call, tenant: home },
      'exchangeHttp',
      requestId(request),
      async (tx) => ({
        kind: 'sealed' as const,
        sealed: sealing.seal(JSON.stringify(await work(tx)), about),
      }),
    );
    return recorded.kind === 'sealed' ? exchanged.parse(JSON.parse(sealing.open(recorded.sealed, about))) : recorded;
  }

  return async (request, call) => {
    const url = URL.parse(request.target, publicUrl);
    if (!url || url.host !== host) return badTarget;
    const provider = await deps.provider();
    const pass: Pass = async (given) => {
      const result = await database.of(home).transaction((tx) => answer(tx, provider, given, 'provider', undefined));
      return result;
    };
    const short = await deps.shortcut(request, url, pass);
    if (short) return short;
    const page = deps.page(url.pathname);
    // A way back to the client uses the sign-in up, and so does a code: it is a GET that changes something.
    const changes = request.method === 'POST' || url.pathname.startsWith('/oauth/authorize/');
    if (!page) return transact(request, call, changes, (tx) => answer(tx, provider, request, 'provider', undefined));
    const cookies = readCookies(request.headers['cookie']);
    const { token, cookie } = guard.issue(cookies);
    const visit: Visit = {
      path: url.pathname,
      query: url.searchParams,
      form: request.method === 'POST' ? fieldsOf(request) : new URLSearchParams(),
      cookies,
      address: request.address,
      token,
    };
    const work = await prepare(request, url, page, visit);
    return transact(request, call, changes, (tx) => answer(tx, provider, request, work, cookie));
  };
}

const errorOf = (failure: unknown): Error => (failure instanceof Error ? failure : new Error(String(failure)));

const badTarget: Exchanged = { kind: 'exchanged', status: 400, headers: [], body: '' };

/** A response as data. */
function toExchanged({ statusCode, headers, rawPayload }: inject.Response): Exchanged {
  const skipped = new Set(['connection', 'date', 'transfer-encoding', 'content-length', 'keep-alive']);
  const list: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || skipped.has(name)) continue;
    for (const one of Array.isArray(value) ? value : [value]) list.push([name, String(one)]);
  }
  // A 401 would have to say by which scheme (RFC 9110, 15.5.2), and a browser would ask its user; OAuth lets us say 400.
  const status = statusCode === 401 && headers['www-authenticate'] === undefined ? 400 : statusCode;
  return { kind: 'exchanged', status, headers: list, body: rawPayload.toString('base64') };
}
