import type { KoaContextWithOIDC } from 'oidc-provider';
import { html, page, pageHeaders } from './html.ts';

/** What oidc-provider says of a request that it can't send back to a client. */
export function showError(ctx: KoaContextWithOIDC, description: string | undefined): void {
  ctx.set(pageHeaders());
  const said = description ?? 'The request could not be understood.';
  ctx.body = page('This did not work', html`<p>Go back to where you came from, and start again.</p>`, said);
}

/** Asks whether to sign out; `form` is oidc-provider's own. */
export function askToSignOut(ctx: KoaContextWithOIDC, form: string): void {
  ctx.set(pageHeaders(originsOf(ctx.oidc.params?.['post_logout_redirect_uri'])));
  ctx.body = page(
    'Sign out?',
    html`<form method="post" action="/oauth/sign-out/confirm">
      <input type="hidden" name="xsrf" value="${secretIn(form)}" />
      <button name="logout" value="yes">Sign out</button>
      <button class="plain">Stay signed in</button>
    </form>`,
  );
}

export function showSignedOut(ctx: KoaContextWithOIDC): void {
  ctx.set(pageHeaders());
  ctx.body = page('You are signed out', html`<p>Close this page, or <a href="/">go on</a>.</p>`);
}

/**
 * Where oidc-provider goes on by a form that a script sends, a person sends it: no script runs in our pages. That is so
 * when there is nobody to sign out, and when somebody signs in where another still is.
 */
export function sendByHand(ctx: KoaContextWithOIDC): void {
  if (typeof ctx.body !== 'string' || !ctx.body.includes('document.forms[0].submit()')) return;
  const { params, entities } = ctx.oidc;
  const isSignOut = ctx.path === '/oauth/sign-out';
  const target = isSignOut ? params?.['post_logout_redirect_uri'] : entities.Interaction?.params['redirect_uri'];
  const form = html`<form method="post" action="/oauth/sign-out/confirm">
    <input type="hidden" name="xsrf" value="${secretIn(ctx.body)}" />
    <button name="logout" value="yes">Go on</button>
  </form>`;
  ctx.set(pageHeaders(originsOf(target)));
  ctx.body = isSignOut
    ? page('Nobody is signed in', form)
    : page(
        'Somebody else was signed in here',
        html`<p>They are signed out when you go on.</p>
          ${form}`,
      );
}

const secretIn = (form: string): string => /(?<=name="xsrf" value=")[\w-]+/.exec(form)?.[0] ?? '';

/** Where a form leads in the end, for its policy: an address without an origin (of an app) by its scheme. */
export function originsOf(address: unknown): string[] {
  const target = typeof address === 'string' ? URL.parse(address) : null;
  return target ? [target.origin === 'null' ? target.protocol : target.origin] : [];
}
