import type { InteractionResults } from 'oidc-provider';
import { z } from 'zod';
import { home, normaliseEmail } from './account.ts';
import { clientName, ownOf } from './clients.ts';
import { emailField, html, passwordField, type Html } from './html.ts';
import type { Lockout, Visitor } from './lockout.ts';
import type { Mails } from './mails.ts';
import type { Passwords } from './passwords.ts';
import { originsOf } from './provider-pages.ts';
import { accountByEmail, findAccount } from './store-accounts.ts';
import type { Database } from '../_chassis/database.ts';
import { redirect, show, showLater, type Inside, type Page, type Reply, type Step, type Visit } from './visit.ts';

/** What the pages stand on. */
export interface PageDeps {
  readonly database: Database;
  readonly passwords: Passwords;
  readonly lockout: Lockout;
  readonly mails: Mails;
}

const wrong = 'E-mail and password don’t fit together.';
// Strangers who guess can make an owner wait who is on a new device.
const sooner = html`<p class="soft">Or <a href="/account/forgot">choose a new password</a> by mail.</p>`;
const gone = (): Reply =>
  show(
    'This sign-in is over',
    html`<p>It took too long, or was finished elsewhere. Start again where you came from.</p>`,
    {
      status: 400,
    },
  );

type Interaction = Awaited<ReturnType<Inside['provider']['interactionDetails']>>;

/** The sign-in or consent that a browser is in, by its cookie and the path. */
async function interactionOf(
  { path }: Visit,
  { provider, request, response }: Inside,
): Promise<Interaction | undefined> {
  const found = await provider.interactionDetails(request, response).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'SessionNotFound') return undefined;
    throw error;
  });
  return found?.uid === path.split('/').at(-1) ? found : undefined;
}

function form(visit: Visit, interaction: Interaction, email = '', problem?: string): Reply {
  const body = html`<form method="post">
      ${visit.token} ${emailField(email, problem)} ${passwordField()}
      <button>Sign in</button>
    </form>
    <form method="post">${visit.token}<button class="plain" name="cancel" value="yes">Cancel</button></form>
    <p class="soft">
      <a href="/account/forgot">Forgot your password?</a> · <a href="/account/register">Create an account</a>
    </p>`;
  return show('Sign in', body, { problem, formTargets: originsOf(interaction.params['redirect_uri']) });
}

const what: Readonly<Record<string, string>> = {
  openid: 'know who you are',
  profile: 'see your name',
  email: 'see your e-mail address',
  read: 'read what you may read',
  write: 'do what you may do, in your name',
  offline_access: 'go on while you are away',
};

const wanted = z.object({
  missingOIDCScope: z.array(z.string()).default([]),
  missingResourceScopes: z.record(z.string(), z.array(z.string())).default({}),
});

function consentForm(visit: Visit, interaction: Interaction, client: string): Reply {
  const { missingOIDCScope, missingResourceScopes } = wanted.parse(interaction.prompt.details);
  const asked = new Set([...missingOIDCScope, ...Object.values(missingResourceScopes).flat()]);
  const items: Html[] = [...asked].map((scope) => html`<li>${what[scope] ?? scope}</li>`);
  const body = html`<p><strong>${client}</strong> asks to</p>
    <ul>
      ${items}
    </ul>
    <form method="post">
      ${visit.token}
      <button>Allow</button>
      <button class="plain" name="cancel" value="yes">Don’t allow</button>
    </form>`;
  return show('Do you allow this?', body, { formTargets: originsOf(interaction.params['redirect_uri']) });
}

async function consent(interaction: Interaction, { provider }: Inside): Promise<string> {
  const { missingOIDCScope, missingResourceScopes } = wanted.parse(interaction.prompt.details);
  const known = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId);
  const grant =
    known ??
    new provider.Grant({
      accountId: interaction.session?.accountId,
      clientId: String(interaction.params['client_id']),
    });
  if (missingOIDCScope.length > 0) grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(missingResourceScopes))
    grant.addResourceScope(resource, scopes.join(' '));
  return grant.save();
}

/** The page `/sign-in/{uid}`: who you are, and for clients that are not ours, what you allow. */
export function signInPage({ database, passwords, lockout, mails }: PageDeps): Page {
  const finish = async (inside: Inside, result: InteractionResults) =>
    redirect(await inside.provider.interactionResult(inside.request, inside.response, result));

  async function trySignIn(visit: Visit): Promise<Step | Reply> {
    const typed = visit.form.get('email') ?? '';
    const email = normaliseEmail(typed) ?? typed.trim().slice(0, 254);
    const password = (visit.form.get('password') ?? '').slice(0, 512);
    const device = visit.cookies.get(lockout.cookieFor({ email }));
    const who: Visitor = { email, address: visit.address, device };
    const wait = await lockout.begin(who);
    if (wait > 0) return showLater(wait, 429, sooner);
    const account = await accountByEmail(database.of(home), email);
    const isRight = await passwords.verify(password, account?.passwordHash ?? null);

    return async (tx, inside) => {
      const interaction = await interactionOf(visit, inside);
      if (!interaction) return gone();
      const now = isRight && account ? await findAccount(tx, account.id) : undefined;
      if (!now || now.passwordHash !== account?.passwordHash) return form(visit, interaction, typed, wrong);
      const trusted = lockout.forgive(tx, who);
      if (now.status !== 'active') {
        mails.verify(tx, now);
        return redirect('/account/check-mail');
      }
      const reply = await finish(inside, { login: { accountId: now.id, amr: ['pwd'] } });
      return { ...reply, cookies: [trusted] };
    };
  }

  return {
    get: async (visit) => async (_tx, inside) => {
      const interaction = await interactionOf(visit, inside);
      if (!interaction) return gone();
      if (interaction.prompt.name !== 'consent') return form(visit, interaction);
      const client = await inside.provider.Client.find(String(interaction.params['client_id']));
      if (!client) return gone();
      if (ownOf(client).first_party)
        return finish(inside, { consent: { grantId: await consent(interaction, inside) } });
      return consentForm(visit, interaction, clientName(client));
    },
    async post(visit) {
      if (visit.form.has('cancel'))
        return async (_tx, inside) =>
          (await interactionOf(visit, inside))
            ? finish(inside, { error: 'access_denied', error_description: 'The person said no.' })
            : gone();
      if (visit.form.has('password')) return trySignIn(visit);
      return async (_tx, inside) => {
        const interaction = await interactionOf(visit, inside);
        if (interaction?.prompt.name !== 'consent') return gone();
        return finish(inside, { consent: { grantId: await consent(interaction, inside) } });
      };
    },
  };
}
