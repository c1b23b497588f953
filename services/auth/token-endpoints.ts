import type { Database } from '../_chassis/database.ts';
import { home } from './account.ts';
import type { Exchanged, HttpRequest } from './contract.ts';
import { fieldsOf, type Shortcut } from './exchange.ts';
import type { Keys } from './keys.ts';
import { findAccount } from './store-accounts.ts';
import { isJwt, readAccessToken, type AccessToken } from './tokens.ts';

const json = (status: number, value: unknown, headers: [string, string][] = []): Exchanged => ({
  kind: 'exchanged',
  status,
  headers: [['content-type', 'application/json; charset=utf-8'], ['cache-control', 'no-store'], ...headers],
  body: Buffer.from(JSON.stringify(value)).toString('base64'),
});

/**
 * What oidc-provider does only for tokens that it keeps: `userinfo` and introspection of access tokens, which are JWTs of
 * ours. A client that introspects is authenticated by oidc-provider, with a token in place that is nobody's.
 */
export function createTokenEndpoints(deps: { database: Database; keys: Keys; publicUrl: string }): Shortcut {
  const { database, keys, publicUrl } = deps;

  /** What a token says, while its person has an account. */
  async function read(token: string): Promise<AccessToken | undefined> {
    const claims = await readAccessToken(token, await keys.current(), publicUrl);
    if (!claims || claims.sub === claims.client_id) return claims;
    return (await findAccount(database.of(home), claims.sub))?.status === 'active' ? claims : undefined;
  }

  async function userinfo({ headers }: HttpRequest): Promise<Exchanged> {
    const token = /^Bearer ([\w.-]{1,4096})$/i.exec(headers['authorization'] ?? '')?.[1];
    if (token === undefined) return json(401, { error: 'invalid_request' }, [['www-authenticate', 'Bearer']]);
    const claims = await read(token);
    const account = claims && (await findAccount(database.of(home), claims.sub));
    if (!claims || !account)
      return json(401, { error: 'invalid_token' }, [['www-authenticate', 'Bearer error="invalid_token"']]);
    const scopes = new Set(claims.scope.split(' '));
    if (!scopes.has('openid'))
      return json(403, { error: 'insufficient_scope', scope: 'openid' }, [
        ['www-authenticate', 'Bearer error="insufficient_scope", scope="openid"'],
      ]);
    return json(200, {
      sub: account.id,
      ...(scopes.has('profile') && { name: account.name }),
      ...(scopes.has('email') && { email: account.email, email_verified: account.verified }),
    });
  }

  return async (request, url, pass) => {
    if (url.pathname === '/oauth/userinfo' && request.method !== 'OPTIONS') return userinfo(request);
    if (url.pathname !== '/oauth/introspect' || request.method !== 'POST') return undefined;
    const fields = fieldsOf(request);
    const token = fields.get('token') ?? '';
    if (!isJwt(token)) return undefined;
    fields.set('token', 'nobodys');
    const asked = await pass({ ...request, body: Buffer.from(fields.toString()).toString('base64') });
    if (asked.status !== 200) return asked;
    const claims = await read(token);
    // Who can't prove who he is may ask only about his own.
    const proven = [request.headers['authorization'], fields.get('client_secret')].some(Boolean); // an empty one proves nothing
    const mayKnow = claims && (proven || fields.get('client_id') === claims.client_id);
    return json(200, mayKnow ? { ...claims, active: true, token_type: 'Bearer' } : { active: false });
  };
}
