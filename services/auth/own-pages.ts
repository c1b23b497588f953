import { home, passwordProblem, type Account } from './account.ts';
import { html, newPasswordField, passwordField } from './html.ts';
import type { PageDeps } from './sign-in.ts';
import { findAccount, setPassword } from './store-accounts.ts';
import { dropAllOf } from './store-oidc.ts';
import { rolesIn } from './store-roles.ts';
import { show, showLater, type Inside, type Page, type Reply, type Step, type Visit } from './visit.ts';
import type { Queryable } from '../_chassis/database.ts';

/** Whose session this is; the account is read where the caller says. */
async function signedIn(db: Queryable, { provider, request, response }: Inside): Promise<Account | undefined> {
  const session = await provider.Session.get(provider.createContext(request, response));
  const account = session.accountId === undefined ? undefined : await findAccount(db, session.accountId);
  return account?.status === 'active' ? account : undefined;
}

const stranger = (): Reply =>
  show('You are not signed in', html`<p>Sign in first, <a href="/">where you came from</a>.</p>`, { status: 403 });

const forSignedIn =
  (work: (account: Account, tx: Parameters<Step>[0]) => Promise<Reply>): Step =>
  async (tx, inside) => {
    const account = await signedIn(tx, inside);
    return account ? work(account, tx) : stranger();
  };

/** The pages of somebody who is signed in: the account, its password, and signing out everywhere. */
export function ownPages({ passwords, lockout, mails, database }: PageDeps): Readonly<Record<string, Page>> {
  const overview: Page = {
    get: async () =>
      forSignedIn(async (account, tx) => {
        const roles = await rolesIn(tx, home, account.id);
        const body = html`<p><strong>${account.name}</strong><br />${account.email}</p>
          <p class="soft">${roles.join(', ')}</p>
          <ul>
            <li><a href="/account/password">Change your password</a></li>
            <li><a href="/account/sign-out">Sign out</a></li>
          </ul>`;
        return show('Your account', body);
      }),
  };

  const passwordForm = (visit: Visit, who: string, problem?: string) =>
    show(
      'Change your password',
      html`<form method="post">
        ${visit.token} <input type="hidden" name="who" value="${who}" />
        ${passwordField('Password until now', 'current')} ${newPasswordField(problem)}
        <button>Change it</button>
      </form>`,
      { problem },
    );

  /** The session is only read inside; until then it is the form that says whose password this is. */
  async function changePassword(visit: Visit): Promise<Step | Reply> {
    const who = visit.form.get('who') ?? '';
    const next = visit.form.get('password') ?? '';
    const account = await findAccount(database.of(home), who);
    if (!account) return stranger();
    const problem = passwordProblem(next, account.email);
    if (problem !== undefined) return passwordForm(visit, who, problem);
    const device = visit.cookies.get(lockout.cookieFor(account));
    const visitor = { ...account, address: visit.address, device };
    const wait = await lockout.begin(visitor);
    if (wait > 0) return showLater(wait, 429);
    const current = (visit.form.get('current') ?? '').slice(0, 512);
    const isRight = await passwords.verify(current, account.passwordHash);
    const hash = await passwords.hash(next);
    return forSignedIn(async (now, tx) => {
      if (now.id !== account.id) return stranger();
      if (!isRight || now.passwordHash !== account.passwordHash)
        return passwordForm(visit, who, 'This is not your password until now.');
      const trusted = lockout.forgive(tx, visitor);
      setPassword(tx, now, hash);
      dropAllOf(tx, now.id);
      mails.passwordChanged(tx, now);
      const reply = show(
        'Your password is changed',
        html`<p>You are signed out everywhere. <a href="/">Go on</a>.</p>`,
      );
      return { ...reply, cookies: [trusted] };
    });
  }

  const signOut: Page = {
    get: async (visit) =>
      forSignedIn(async () =>
        show(
          'Sign out',
          html`<form method="get" action="/oauth/sign-out"><button>Sign out here</button></form>
            <form method="post">${visit.token}<button class="plain">Sign out everywhere</button></form>
            <p class="soft">
              Everywhere ends every session and every app’s access; it may take them ten minutes to notice.
            </p>`,
        ),
      ),
    post: async () =>
      forSignedIn(async (account, tx) => {
        dropAllOf(tx, account.id);
        return show('You are signed out everywhere', html`<p><a href="/">Go on</a>.</p>`);
      }),
  };

  return {
    '/account': overview,
    '/account/password': {
      get: async (visit) => forSignedIn(async (account) => passwordForm(visit, account.id)),
      post: changePassword,
    },
    '/account/sign-out': signOut,
  };
}
