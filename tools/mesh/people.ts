import { z } from 'zod';
import { UserError } from './user-error.ts';

/** The people that every mesh begins with, by id; they share one generated password, the secret `peoplePassword`. */
export const people = [
  { id: '1', name: 'Ada', email: 'ada@example.com', roles: ['customer'] },
  { id: '2', name: 'Ben', email: 'ben@example.com', roles: ['customer'] },
  { id: '3', name: 'Staff', email: 'staff@example.com', roles: ['staff'] },
  { id: '4', name: 'Warehouse', email: 'warehouse@example.com', roles: ['warehouse'] },
  { id: '5', name: 'Admin', email: 'admin@example.com', roles: ['admin'] },
] as const;

/** The secret that holds their password. */
export const peoplePassword = 'peoplePassword';

/** The e-mail of a seeded person by id, name or e-mail, or the e-mail itself of anybody else. */
export function emailOf(user: string): string {
  const wanted = user.toLowerCase();
  const found = people.find(({ id, name, email }) => [id, name.toLowerCase(), email].includes(wanted));
  if (found) return found.email;
  if (wanted.includes('@')) return wanted;
  const known = people.map(({ id, name }) => `${id} (${name.toLowerCase()})`).join(', ');
  throw new UserError(`there is no ${user}: say one of ${known}, or an e-mail`);
}

const claims = z.object({ sub: z.string(), tenant: z.string(), roles: z.array(z.string()), exp: z.number() });

/** What an access token says, unchecked; `exp` is in epoch seconds. */
export const claimsOf = (token: string): z.output<typeof claims> =>
  claims.parse(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')));
