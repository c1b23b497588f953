import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { Transaction } from '../_chassis/database.ts';
import { html, page, pageHeaders, type Html } from './html.ts';
import { newSecret, type Sealing } from './sealing.ts';

/** A browser's request to one of auth's own pages. */
export interface Visit {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Empty but for a POST. */
  readonly form: URLSearchParams;
  readonly cookies: ReadonlyMap<string, string>;
  readonly address: string;
  /** What every form carries. */
  readonly token: Html;
}

/** A cookie to set; its life is in seconds. */
export type Cookie = readonly [name: string, value: string, maxAge: number];

/** What a page answers: a body, or a place to go to. */
export interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly location?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly Cookie[];
}

/** The part of a page's work that is done in the exchange's transaction; may be run again from the start. */
export type Step = (tx: Transaction, inside: Inside) => Promise<Reply>;
/** The exchange as oidc-provider sees it. */
export interface Inside {
  readonly provider: Provider;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A page: what it does before the transaction (hashing, waiting) gives a reply, or the step that makes it. */
export type Handler = (visit: Visit) => Promise<Step | Reply>;
export interface Page {
  readonly get?: Handler;
  readonly post?: Handler;
}

/** A page's HTML as a reply; with a problem it says 422, unless told otherwise. */
export const show = (
  title: string,
  body: Html,
  more: {
    problem?: string | undefined;
    status?: number;
    headers?: Record<string, string>;
    formTargets?: string[];
  } = {},
): Reply => ({
  status: more.status ?? (more.problem === undefined ? 200 : 422),
  body: page(title, body, more.problem),
  headers: { ...pageHeaders(more.formTargets), ...more.headers },
});

/** A refusal for now. */
export const showLater = (waitMs: number, status: 429 | 503, more?: Html): Reply => {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  const wait = seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
  const why = status === 429 ? 'There were too many tries.' : 'There is too much to do just now.';
  return show(
    'Please wait',
    html`<p>Go back and try again in ${wait}.</p>
      ${more}`,
    {
      status,
      problem: why,
      headers: { 'retry-after': String(seconds) },
    },
  );
};

export const redirect = (location: string): Reply => ({
  status: 303,
  location,
  headers: { 'cache-control': 'no-store' },
});

const cookiePattern = /^\s*([\w.-]{1,100})=([\w.%~-]{0,1000})\s*$/;

/** The cookies of a request; of two with one name, the first. */
export function readCookies(header: string | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const part of header?.split(';') ?? []) {
    const [, name, value] = cookiePattern.exec(part) ?? [];
    if (name !== undefined && value !== undefined && !cookies.has(name)) cookies.set(name, value);
  }
  return cookies;
}

const formCookie = 'form';

/**
 * The defence of forms against other sites: where the browser says that the form is from (Sec-Fetch-Site, or Origin from one
 * that does not send it), and a code in the form that fits a cookie of the browser.
 */
export function createFormGuard(sealing: Sealing, publicUrl: string) {
  const { origin } = new URL(publicUrl);
  const codeOf = (secret: string) => sealing.codeFor(`form\0${secret}`);
  return {
    /** The hidden field, and the cookie to set when the browser has none. */
    issue(cookies: ReadonlyMap<string, string>): { token: Html; cookie?: Cookie } {
      const known = cookies.get(formCookie);
      const secret = known ?? newSecret();
      const token = html`<input type="hidden" name="form" value="${codeOf(secret)}" />`;
      return known === undefined ? { token, cookie: [formCookie, secret, 86_400] } : { token };
    },
    accepts(headers: Readonly<Record<string, string>>, cookies: ReadonlyMap<string, string>, form: URLSearchParams) {
      const site = headers['sec-fetch-site'];
      const isOurs = site === undefined ? headers['origin'] === origin : site === 'same-origin';
      if (!isOurs) return false;
      const expected = Buffer.from(codeOf(cookies.get(formCookie) ?? ''));
      const given = Buffer.from(form.get('form') ?? '');
      return cookies.has(formCookie) && given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}
