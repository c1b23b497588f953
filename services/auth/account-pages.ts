import { home, normaliseEmail, normaliseName, passwordProblem, type Account } from './account.ts';
import { authContract } from './contract.ts';
import { emailField, field, html, newPasswordField, type Html } from './html.ts';
import { digestOf } from './sealing.ts';
import type { PageDeps } from './sign-in.ts';
import {
  accountByEmail,
  addAccount,
  linkedAccount,
  setPassword,
  setVerified,
  useLink,
  type Purpose,
} from './store-accounts.ts';
import { dropAllOf } from './store-oidc.ts';
import { addRole } from './store-roles.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import type { Transaction } from '../_chassis/database.ts';
import { countTry, mayMail } from './store-tries.ts';
import { redirect, show, showLater, type Page, type Reply, type Visit } from './visit.ts';

const { AccountRegistered, AccountVerified } = authContract.events;
/** Mails that one network address may ask for, before it has to wait. */
const freeMails = 30;

/** The pages of people who are not signed in: register, verify, forgot, set a password. */
export function accountPages({ database, passwords, lockout, mails }: PageDeps): Readonly<Record<string, Page>> {
  const checkMail = () => redirect('/account/check-mail');

  /** Whether a mail may go to an address now; nobody is told when not, but he who asks too much. */
  async function mayAsk(visit: Visit, email: string): Promise<boolean | Reply> {
    const wait = await countTry(database, `mails from:${visit.address}`, freeMails);
    if (wait > 0) return showLater(wait, 429);
    return database.of(home).transaction((tx) => mayMail(tx, email));
  }

  function registerForm(visit: Visit, problem?: string): Reply {
    const value = (name: string) => visit.form.get(name) ?? '';
    const name = { name: 'name', autocomplete: 'name', maxlength: '120', value: value('name') };
    const body = html`<form method="post">
        ${visit.token} ${field('Name', name)} ${emailField(value('email'))} ${newPasswordField()}
        <button>Create account</button>
      </form>
      <p class="soft">You will get a mail to confirm your address.</p>`;
    return show('Create an account', body, { problem });
  }

  const register: Page = {
    get: async (visit) => registerForm(visit),
    async post(visit) {
      const name = normaliseName(visit.form.get('name') ?? '');
      const email = normaliseEmail(visit.form.get('email') ?? '');
      const password = visit.form.get('password') ?? '';
      if (name === undefined) return registerForm(visit, 'Say your name, in at most 120 characters.');
      if (email === undefined) return registerForm(visit, 'This is not an e-mail address.');
      const problem = passwordProblem(password, email);
      if (problem !== undefined) return registerForm(visit, problem);
      const may = await mayAsk(visit, email);
      if (typeof may !== 'boolean') return may;
      const passwordHash = await passwords.hash(password);
      return async (tx) => {
        if (!may) return checkMail();
        const known = await accountByEmail(tx, email);
        if (known) mails.alreadyRegistered(tx, known);
        else {
          const id = uuidv7();
          const account: Account = { id, email, name, passwordHash, verified: false, status: 'pending' };
          addAccount(tx, account);
          await addRole(tx, home, id, { role: 'customer', by: id });
          tx.emit(AccountRegistered, { subject: id, tenant: home, data: { userId: id, name, email } });
          mails.verify(tx, account);
        }
        return checkMail();
      };
    },
  };

  const forgotForm = (visit: Visit, problem?: string) =>
    show(
      'Forgot your password?',
      html`<p>Say your address, and you get a mail with a link to choose another one.</p>
        <form method="post">
          ${visit.token} ${emailField(visit.form.get('email') ?? '', problem)}
          <button>Send the mail</button>
        </form>`,
      { problem },
    );
  const forgot: Page = {
    get: async (visit) => forgotForm(visit),
    async post(visit) {
      const email = normaliseEmail(visit.form.get('email') ?? '');
      if (email === undefined) return forgotForm(visit, 'This is not an e-mail address.');
      const may = await mayAsk(visit, email);
      if (typeof may !== 'boolean') return may;
      return async (tx) => {
        const account = await accountByEmail(tx, email);
        if (may && account) mails.forgot(tx, account);
        else if (may) mails.forgotNothing(tx, email);
        return checkMail();
      };
    },
  };

  /** A page that a link in a mail leads to; the link works only when its form is sent, so that no reader of mails uses it up. */
  function linkPage(
    purpose: Purpose,
    form: (visit: Visit, problem?: string) => Reply,
    prepare: (visit: Visit, account: Account) => Promise<Reply | ((tx: Transaction) => Reply)>,
  ): Page {
    const over = show(
      'This link no longer works',
      html`<p>It has been used, or is too old. <a href="/account/forgot">Ask for another one</a>.</p>`,
      { status: 400 },
    );
    const read = (params: URLSearchParams) => digestOf(params.get('token') ?? '');
    return {
      async get(visit) {
        const secretHash = read(visit.query);
        return (await linkedAccount(database.of(home), purpose, secretHash)) ? form(visit) : over;
      },
      async post(visit) {
        const secretHash = read(visit.form);
        const account = await linkedAccount(database.of(home), purpose, secretHash);
        if (!account) return over;
        const done = await prepare(visit, account);
        if (typeof done !== 'function') return done;
        return async (tx) => ((await useLink(tx, secretHash)) ? done(tx) : over);
      },
    };
  }

  function verified(tx: Transaction, account: Account): void {
    if (account.verified) return;
    setVerified(tx, account);
    tx.emit(AccountVerified, { subject: account.id, tenant: home, data: { userId: account.id } });
  }

  const linkToken = (visit: Visit): Html =>
    html`<input type="hidden" name="token" value="${visit.form.get('token') ?? visit.query.get('token') ?? ''}" />`;

  const verify = linkPage(
    'verify',
    (visit) =>
      show(
        'Confirm your address',
        html`<form method="post" action="/account/verify">
          ${visit.token} ${linkToken(visit)}<button>Confirm</button>
        </form>`,
      ),
    async (_visit, account) => (tx) => {
      verified(tx, account);
      return show('Your address is confirmed', html`<p>You can sign in now. <a href="/">Go on</a>.</p>`);
    },
  );

  const resetForm = (visit: Visit, problem?: string) =>
    show(
      'Choose a password',
      html`<form method="post" action="/account/reset">
        ${visit.token} ${linkToken(visit)} ${newPasswordField(problem)}
        <button>Set the password</button>
      </form>`,
      { problem },
    );
  const reset = linkPage('set-password', resetForm, async (visit, account) => {
    const password = visit.form.get('password') ?? '';
    const problem = passwordProblem(password, account.email);
    if (problem !== undefined) return resetForm(visit, problem);
    const hash = await passwords.hash(password);
    return (tx) => {
      setPassword(tx, account, hash);
      verified(tx, account);
      dropAllOf(tx, account.id);
      if (account.passwordHash !== null) mails.passwordChanged(tx, account);
      const reply = show('Your password is set', html`<p>You can sign in with it now. <a href="/">Go on</a>.</p>`);
      return { ...reply, cookies: [lockout.trust(account)] };
    };
  });

  return {
    '/account/register': register,
    '/account/forgot': forgot,
    '/account/verify': verify,
    '/account/reset': reset,
    '/account/check-mail': {
      get: async () =>
        show('Check your mail', html`<p>We have sent you a mail. It says what to do next, and may take a minute.</p>`),
    },
  };
}
