import { z } from 'zod';
import { eventType, standardMethods, type Contract } from '../_chassis/contract.ts';

/** What a person may be in a tenant. */
export const roles = ['customer', 'staff', 'warehouse', 'admin'] as const;
export type Role = (typeof roles)[number];
export const role = z.enum(roles);

/** Who may do what: each permission with the roles that have it. The gateway asks it of the token, and so does each service. */
export const permissions = {
  'catalog.change': ['staff', 'admin'],
  'stock.change': ['warehouse', 'admin'],
  'orders.place': ['customer', 'staff', 'warehouse', 'admin'],
  'orders.read-all': ['staff', 'admin'],
  'people.read': ['staff', 'admin'],
  'people.change': ['staff', 'admin'],
  'roles.grant': ['admin'],
  'tenants.manage': ['admin'],
} as const satisfies Readonly<Record<string, readonly Role[]>>;
export type Permission = keyof typeof permissions;

/** Every service that checks tokens; the keys are public, so this list is only what is. */
const servicesThatCheckTokens = [
  'gateway',
  'users',
  'products',
  'orders',
  'inventory',
  'payments',
  'fulfillment',
  'auth',
] as const;

const userId = z.string().regex(/^[\w.-]{1,64}$/);
/** Who is asked about: whatever a path can name, because what is no id is answered like nobody's. */
const about = z.object({ userId: z.string().min(1).max(64) });

/** A public signing key (RFC 7517); P-256 for ES256 is all there is. */
export const publicKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
  kid: z.string().min(1).max(100),
  x: z.string().max(100),
  y: z.string().max(100),
});
export type PublicKey = z.infer<typeof publicKey>;

const longestTarget = 4_096;
const largestBody = 64 * 1_024;
const base64Of = (bytes: number) => z.base64().max(4 * Math.ceil(bytes / 3));

const headerName = z.string().regex(/^[a-z0-9-]{1,64}$/);
const headerValue = z
  .string()
  .max(8_192)
  .regex(/^[^\0\r\n]*$/);

/** An HTTP request to auth, as data: a breaker counts every status of a real one. `target` is path and query. */
export const httpRequest = z.object({
  method: z.enum(['GET', 'HEAD', 'POST', 'OPTIONS']),
  target: z
    .string()
    .max(longestTarget)
    .regex(/^\/[\x21-\x7e]*$/),
  headers: z
    .record(headerName, headerValue)
    .refine((headers) => Object.keys(headers).length <= 50, 'must be at most 50 headers'),
  body: base64Of(largestBody),
  /** The client's address, for the limits of sign-in. */
  address: z.string().min(1).max(64),
});
export type HttpRequest = z.infer<typeof httpRequest>;

/** The response to such a request; `set-cookie` may come more than once. */
export const exchanged = z.object({
  kind: z.literal('exchanged'),
  status: z.number().int().min(200).max(599),
  headers: z.array(z.tuple([headerName, headerValue])).max(50),
  body: base64Of(2 * largestBody),
});
export type Exchanged = z.infer<typeof exchanged>;

const notFound = z.object({ kind: z.literal('not-found') });
const roleChange = about.extend({ role });
const fact = <Data extends z.ZodRawShape>(name: string, data: Data) => ({
  type: eventType('auth', name),
  topic: 'auth.events',
  data: z.object(data),
});

/** Accounts, passwords, tokens, OAuth 2 / OIDC, roles. */
export const authContract = {
  service: 'auth',
  secrets: ['authSealingKey', 'authCookieKey'],
  methods: {
    ...standardMethods(['users', 'notifications']),
    listKeys: {
      reads: true,
      callers: servicesThatCheckTokens,
      request: z.object({}),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('keys'), keys: z.array(publicKey).min(1).max(20) }),
      ]),
    },
    exchangeHttp: {
      reads: false,
      callers: ['gateway'],
      request: httpRequest,
      response: z.discriminatedUnion('kind', [exchanged]),
    },
    grantRole: {
      reads: false,
      callers: ['gateway'],
      request: roleChange,
      response: z.discriminatedUnion('kind', [z.object({ kind: z.literal('roles'), roles: z.array(role) }), notFound]),
    },
    revokeRole: {
      reads: false,
      callers: ['gateway'],
      request: roleChange,
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('roles'), roles: z.array(role) }),
        notFound,
        z.object({ kind: z.literal('last-admin') }),
      ]),
    },
    listRoles: {
      reads: true,
      callers: ['gateway'],
      request: about,
      response: z.discriminatedUnion('kind', [z.object({ kind: z.literal('roles'), roles: z.array(role) }), notFound]),
    },
  },
  events: {
    /** Somebody has registered on the page; not verified yet. */
    AccountRegistered: fact('account.registered', { userId, name: z.string(), email: z.string() }),
    AccountVerified: fact('account.verified', { userId }),
    /** A profile for which there can't be an account. */
    AccountDeclined: fact('account.declined', { userId, reason: z.literal('email-taken') }),
    RoleGranted: fact('role.granted', { userId, role, by: z.string() }),
    RoleRevoked: fact('role.revoked', { userId, role, by: z.string() }),
    PersonalDataCollected: fact('personal-data.collected', {
      exportId: z.string(),
      userId,
      data: z.record(z.string(), z.unknown()),
    }),
    MailRequested: {
      type: eventType('auth', 'mail.requested'),
      topic: 'notifications.requests',
      data: z.object({ to: z.string(), subject: z.string(), text: z.string() }),
    },
  },
  consumes: { users: ['users.events'] },
} as const satisfies Contract;
