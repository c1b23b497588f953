import { createHash } from 'node:crypto';

/** Text that is HTML; only `html` makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

type Piece = Html | string | undefined | false | readonly Html[];

const textOf = (piece: Piece): string => {
  if (piece === undefined || piece === false) return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'string') return piece.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
  return piece.map((one) => one.text).join('');
};

/** HTML from a template; every text that is put in is escaped. */
export const html = (strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html =>
  new Html(strings.map((text, n) => text + textOf(pieces[n])).join(''));

const style = `:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--page:#f3f5f8;--card:#fff;--line:#c6cdd8;--accent:#0b5cad;--on:#fff;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e7ecf3;--soft:#a3aebd;--page:#11161d;--card:#1a212b;--line:#3b4655;--accent:#7db8f5;--on:#0c1a29;--bad:#ff9d94}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:26rem;margin:8vh auto 2rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
.brand{font-weight:650;letter-spacing:.02em;color:var(--accent)}h1{font-size:1.5rem;line-height:1.25;margin:.25rem 0 1rem}
p{margin:.75rem 0}.soft{color:var(--soft);font-size:.925rem}label{display:block;font-weight:600;margin:1rem 0 .25rem}
input:not([type=hidden]){width:100%;padding:.6rem .7rem;font:inherit;color:inherit;background:var(--page);border:1px solid var(--line);border-radius:.45rem}
input[aria-invalid]{border-color:var(--bad)}button{width:100%;margin-top:1.25rem;padding:.7rem;font:inherit;font-weight:600;color:var(--on);background:var(--accent);border:1px solid var(--accent);border-radius:.45rem;cursor:pointer}
button.plain{margin-top:.6rem;color:var(--accent);background:none}a{color:var(--accent)}:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.problem{padding:.75rem 1rem;border:1px solid var(--bad);border-left-width:.35rem;border-radius:.45rem}.problem p{margin:0}ul{padding-left:1.2rem}
@media(max-width:30rem){main{margin:0;min-height:100vh;border:0;border-radius:0;padding:1.5rem}}`;
const styleElement = new Html(`<style>${style}</style>`);
const styleHash = createHash('sha256').update(style).digest('base64');

/** A whole page; a problem is said first, and read out at once. */
export function page(title: string, body: Html, problem?: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${problem === undefined ? '' : 'Problem: '}${title} – Sidecart</title>
        ${styleElement}
      </head>
      <body>
        <main>
          <div class="brand">Sidecart</div>
          <h1>${title}</h1>
          ${problem !== undefined && html`<div class="problem" role="alert"><p id="problem">${problem}</p></div>`}
          ${body}
        </main>
      </body>
    </html>`.text;
}

/** The headers of every page; a form may lead on to `formTargets`, which browsers also ask of redirects. */
export const pageHeaders = (formTargets: readonly string[] = []): Readonly<Record<string, string>> => ({
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action ${["'self'", ...formTargets].join(' ')}; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'same-origin', // with no-referrer, a form's Origin is null
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
});

/** A labelled field. */
export function field(label: string, attributes: Readonly<Record<string, string | true>>, problem?: string): Html {
  const { name } = attributes;
  const id = typeof name === 'string' ? name : '';
  const all = {
    id,
    required: true,
    ...attributes,
    ...(problem !== undefined && { 'aria-invalid': 'true', 'aria-describedby': 'problem' }),
  };
  const written = Object.entries(all).map(([key, value]) =>
    value === true ? html` ${key}` : html` ${key}="${value}"`,
  );
  return html`<label for="${id}">${label}</label><input${written} />`;
}

/** A field for the address; `value` is what was said before. */
export const emailField = (value: string, problem?: string): Html =>
  field('E-mail', { name: 'email', type: 'email', autocomplete: 'username', maxlength: '254', value }, problem);

/** Fields for a new password, said once: who mistypes it has "forgot". */
export const newPasswordField = (problem?: string): Html =>
  html`${field('New password', { name: 'password', type: 'password', autocomplete: 'new-password', minlength: '12', maxlength: '512' }, problem)}
    <p class="soft">At least 12 characters. A few unrelated words are easy to keep and hard to guess.</p>`;

/** The field for the password one has. */
export const passwordField = (label = 'Password', name = 'password'): Html =>
  field(label, { name, type: 'password', autocomplete: 'current-password', maxlength: '512' });
