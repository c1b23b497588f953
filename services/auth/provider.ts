import {
  errors,
  interactionPolicy,
  Provider,
  type Client,
  type Configuration,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { z } from 'zod';
import type { Log } from '../_chassis/log.ts';
import { home } from './account.ts';
import { createAdapter, currentExchange } from './adapter.ts';
import { isClientSecret, ownMetadata, ownOf } from './clients.ts';
import type { Keys, KeySet } from './keys.ts';
import { askToSignOut, sendByHand, showError, showSignedOut } from './provider-pages.ts';
import type { Sealing } from './sealing.ts';
import { findAccount } from './store-accounts.ts';
import { isMember, rolesIn } from './store-roles.ts';
import { audience, homeResource, resourceOf, scopes, tenantOfResource } from './tokens.ts';

/** What the provider is made of; `cookieKey` signs its cookies. */
export interface ProviderDeps {
  readonly publicUrl: string;
  readonly cookieKey: string;
  readonly sealing: Sealing;
  readonly keys: Keys;
  readonly log: Log;
}

const hour = 3_600;
const db = () => {
  const exchange = currentExchange.getStore();
  if (!exchange) throw new Error('outside of an exchange');
  return exchange.tx;
};

/** Gives the OpenID provider for the keys there are now: its keys are fixed, so new ones make a new one. */
export function createProviders(deps: ProviderDeps): () => Promise<Provider> {
  let known: { set: KeySet; kids: string; provider: Provider } | undefined;
  return async () => {
    const set = await deps.keys.current();
    if (known?.set === set) return known.provider;
    const kids = set.published.map(({ kid }) => kid).join();
    known = { set, kids, provider: known?.kids === kids ? known.provider : build(deps, set) };
    return known.provider;
  };
}

/** A code goes to its client in the query of its address. A fragment is for errors, of requests for other types. */
class QueryProvider extends Provider {
  override registerResponseMode(...[name, handler]: Parameters<Provider['registerResponseMode']>): void {
    if (name !== 'form_post') super.registerResponseMode(name, handler); // a script sends that form
  }
}

const described = z.record(z.string(), z.unknown());
const isOwn = async (_ctx: unknown, client: Client, token: { clientId?: string | undefined }) =>
  token.clientId === client.clientId;

function build(deps: ProviderDeps, { pairs }: KeySet): Provider {
  const provider = new QueryProvider(deps.publicUrl, configuration(deps, pairs));
  provider.proxy = true; // the headers are ours: whatever the client called us, we are the public URL
  Object.defineProperty(provider.Client.prototype, 'compareClientSecret', {
    value(this: { clientSecret?: string }, given: string) {
      return isClientSecret(this.clientSecret, given);
    },
  });
  Object.defineProperty(provider.Client.prototype, 'responseModeAllowed', {
    value: (mode: string, type: string) => mode === 'query' || type !== 'code', // another type is refused as such
  });
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next();
    sendByHand(ctx);
    const description = described.safeParse(ctx.path === '/.well-known/openid-configuration' ? ctx.body : undefined);
    if (description.success) ctx.body = { ...description.data, response_modes_supported: ['query'] };
  });
  provider.on('server_error', (_ctx, error) => {
    const exchange = currentExchange.getStore();
    if (exchange) exchange.failure = error;
  });
  return provider;
}

function configuration(
  deps: ProviderDeps,
  keys: Configuration['jwks'] extends infer J ? (J extends { keys: infer K } ? K : never) : never,
): Configuration {
  const { publicUrl, sealing } = deps;
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, secure: publicUrl.startsWith('https:') } as const;
  const policy = interactionPolicy.base();
  policy.get('consent')?.checks.remove('native_client_prompt'); // our own command line is native, and asks nobody
  return {
    adapter: createAdapter(sealing, publicUrl),
    jwks: { keys },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    cookies: { keys: [deps.cookieKey], long: cookie, short: cookie },
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      jwks: '/oauth/jwks',
      introspection: '/oauth/introspect',
      revocation: '/oauth/revoke',
      userinfo: '/oauth/userinfo',
      end_session: '/oauth/sign-out',
    },
    scopes: [...scopes, 'offline_access'],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    responseTypes: ['code'],
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: (_ctx, origin) => origin === new URL(publicUrl).origin, // and the pages of others have a server
    pkce: { required: () => true },
    extraParams: ['tenant'],
    extraClientMetadata: { properties: [...ownMetadata] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // Only refresh tokens are kept: what an access token says, and to whom, is in token-endpoints.ts.
      introspection: { enabled: true, allowedPolicy: isOwn },
      revocation: { enabled: true, allowedPolicy: isOwn },
      rpInitiatedLogout: { enabled: true, logoutSource: askToSignOut, postLogoutSuccessSource: showSignedOut },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, _client, oneOf) => oneOf?.[0] ?? resourceFor(ctx),
        useGrantedResource: () => true,
        getResourceServerInfo(_ctx, resource) {
          if (resource !== homeResource && tenantOfResource(resource) === undefined) throw new errors.InvalidTarget();
          return {
            scope: scopes.join(' '),
            audience,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
    interactions: { policy, url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      ClientCredentials: 600,
      IdToken: hour,
      Interaction: hour,
      RefreshToken: 14 * 24 * hour,
      Session: 14 * 24 * hour,
      Grant: 14 * 24 * hour,
    },
    rotateRefreshToken: true,
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') && (ownOf(client).first_party || source.scopes.has('offline_access')),
    loadExistingGrant: grantFor,
    async findAccount(_ctx, sub) {
      const account = await findAccount(db(), sub);
      if (account?.status !== 'active') return undefined;
      const { name, email, verified } = account;
      return { accountId: sub, claims: () => ({ sub, name, email, email_verified: verified }) };
    },
    async extraTokenClaims(_ctx, token) {
      if (token.kind === 'ClientCredentials') {
        const { tenant, roles } = token.client ? ownOf(token.client) : {};
        return { tenant, roles };
      }
      const tenant = await tenantFor(token.resourceServer?.identifier() ?? homeResource, token.accountId);
      return { tenant, roles: await db().within(tenant, () => rolesIn(db(), tenant, token.accountId)) };
    },
    renderError(ctx, { error_description: description }, error) {
      if (!('expose' in error && error.expose === true)) deps.log.error({ err: error }, 'exchange failed');
      showError(ctx, description);
    },
  };
}

/** The tenant a token for this resource is of, if its person belongs there. */
async function tenantFor(resource: string, accountId: string): Promise<string> {
  const tenant = tenantOfResource(resource) ?? home;
  if (tenant !== home && !(await db().within(tenant, () => isMember(db(), tenant, accountId))))
    throw new errors.AccessDenied('this person does not belong to that tenant');
  return tenant;
}

function resourceFor(ctx: KoaContextWithOIDC): string {
  const tenant = ctx.oidc.params?.['tenant'];
  return typeof tenant === 'string' ? resourceOf(tenant) : homeResource;
}

/** A client of ours is granted what it asks for; any other has what its person agreed to. */
async function grantFor(ctx: KoaContextWithOIDC) {
  const { client, session, provider, resourceServers = {} } = ctx.oidc;
  if (!client || session?.accountId === undefined) return undefined;
  for (const resource of Object.keys(resourceServers)) await tenantFor(resource, session.accountId);
  const grantId = ctx.oidc.result?.consent?.grantId ?? session.grantIdFor(client.clientId);
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  if (!ownOf(client).first_party) return known;
  const grant = known ?? new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope([...ctx.oidc.requestParamOIDCScopes].join(' '));
  for (const [resource, { scopes: offered }] of Object.entries(resourceServers))
    grant.addResourceScope(resource, [...ctx.oidc.requestParamScopes].filter((scope) => offered.has(scope)).join(' '));
  await grant.save();
  return grant;
}
