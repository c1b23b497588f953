import { z } from 'zod';
import { eventType, standardMethods, type Contract } from '../_chassis/contract.ts';
import { roles } from '../auth/contract.ts';

const id = z.string().min(1).max(64);
const line = (longest: number) =>
  z
    .string()
    .trim()
    .regex(new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${longest}}$`, 'u'), `must be 1 to ${longest} printable characters`);
const email = z.email().max(254).toLowerCase();
const address = z.strictObject({
  label: line(40).optional(),
  lines: z.array(line(120)).min(1).max(4),
  postalCode: line(16),
  city: line(80),
  country: z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 code of two letters'),
});
const preference = z.string().regex(/^[a-zA-Z][\w.-]{0,39}$/);
const setting = z.union([z.boolean(), z.number(), z.string().max(200)]);
const addresses = z.array(address).max(10);
const few = 'at most 50 preferences';
/** Whether a profile can hold so many preferences. */
export const areFew = (map: object) => Object.keys(map).length <= 50;
const preferences = z.record(preference, setting);
const version = z.number().int().min(1);
const role = z.enum(roles);

/** What everybody may know of a person. */
export const publicUser = z.object({ id, name: z.string() });
export type PublicUser = z.infer<typeof publicUser>;

/** A person as he himself and staff see him; `invited` until the e-mail address is verified. */
export const user = publicUser.extend({
  email: z.string(),
  addresses,
  preferences,
  status: z.enum(['invited', 'active']),
  version,
  createdAt: z.string(),
});
export type User = z.infer<typeof user>;

/** Somebody new. */
export const newUser = z.strictObject({
  name: line(120),
  email,
  addresses: addresses.default([]),
  preferences: preferences.refine(areFew, few).default({}),
});

/** A whole profile instead of the one there is; with `version`, only instead of that one. */
export const userReplacement = newUser.extend({ version: version.optional() });

/** What changes of a profile; preferences are merged, and null takes one out. */
export const userChange = z
  .strictObject({
    name: line(120).optional(),
    email: email.optional(),
    addresses: addresses.optional(),
    preferences: z.record(preference, setting.nullable()).refine(areFew, few).optional(),
    version: version.optional(),
  })
  .refine(({ version: _, ...change }) => Object.keys(change).length > 0, 'nothing to change');

const slug = z.string().regex(/^[a-z][a-z0-9-]{1,23}$/, 'must be 2 to 24 small letters, digits and hyphens');

/** A new tenant; its id is a slug, and taken for ever. */
export const newTenant = z.strictObject({ id: slug, name: line(120) });

/** A tenant that one belongs to, and as what. */
export const tenant = z.object({ id: z.string(), name: z.string(), membershipId: id, roles: z.array(role) });

/** Whom a tenant's admin asks in. */
export const newInvitation = z.strictObject({ email, roles: z.array(role).min(1).max(roles.length) });
export const invitation = z.object({ id, expiresAt: z.string() });

/** A person in a tenant; `name` is missing once he is erased. */
export const member = z.object({ id, userId: id, name: z.string().optional(), roles: z.array(role) });
export const membership = z.object({ id, tenant: z.string(), userId: id, roles: z.array(role) });

/** Everything that is known of a person, as the services answer; `missing` names those that have not. */
export const personalData = z.object({
  id,
  userId: id,
  status: z.enum(['collecting', 'complete', 'incomplete']),
  requestedAt: z.string(),
  parts: z.array(z.object({ service: z.string(), tenant: z.string(), at: z.string(), data: z.looseObject({}) })),
  missing: z.array(z.object({ service: z.string(), tenant: z.string() })),
});
export type PersonalData = z.infer<typeof personalData>;

const kind = <K extends string>(name: K) => z.object({ kind: z.literal(name) });
const [notFound, badCursor] = [kind('not-found'), kind('bad-cursor')];
const page = <Item extends z.ZodType>(item: Item) =>
  kind('page').extend({ items: z.array(item), nextCursor: z.string().optional() });
const pages = { limit: z.number().int().min(1).max(100), cursor: z.string().max(500).optional() };
const write = { reads: false, callers: ['gateway'] } as const;
const read = { reads: true, callers: ['gateway'] } as const;
/** The versions that may be changed, beside the one that the body names. */
const versions = z.array(z.number().int()).max(20).optional();
const ofUser = z.object({ userId: id });
const changed = z.discriminatedUnion('kind', [
  kind('changed').extend({ user }),
  kind('other-version').extend({ version }),
  kind('too-many-preferences'),
  notFound,
]);

const topic = 'users.events';
const fact = <Data extends z.ZodRawShape>(name: string, data: Data) => ({
  type: eventType('users', name),
  topic,
  data: z.object({ userId: id, ...data }),
});

/** Profiles, tenants and membership. */
export const usersContract = {
  service: 'users',
  methods: {
    ...standardMethods(['auth', 'orders']),
    createUser: { ...write, request: newUser, response: kind('created').extend({ user }) },
    listUsers: { ...read, request: z.object(pages), response: z.discriminatedUnion('kind', [page(user), badCursor]) },
    getUser: {
      ...read,
      request: ofUser,
      response: z.discriminatedUnion('kind', [
        kind('found').extend({ user }),
        kind('public').extend({ user: publicUser, cache: z.enum(['hit', 'miss']) }),
        notFound,
      ]),
    },
    replaceUser: { ...write, request: z.object({ userId: id, profile: userReplacement, versions }), response: changed },
    changeUser: { ...write, request: z.object({ userId: id, change: userChange, versions }), response: changed },
    eraseUser: { ...write, request: ofUser, response: z.discriminatedUnion('kind', [kind('erased'), notFound]) },
    requestExport: {
      ...write,
      request: ofUser,
      response: z.discriminatedUnion('kind', [kind('requested').extend({ exportId: id }), notFound]),
    },
    getExport: {
      ...read,
      request: z.object({ exportId: id }),
      response: z.discriminatedUnion('kind', [kind('found').extend({ export: personalData }), notFound]),
    },
    createTenant: {
      ...write,
      request: newTenant,
      response: z.discriminatedUnion('kind', [kind('created').extend({ tenant }), kind('taken')]),
    },
    listTenants: { ...read, request: z.object({}), response: kind('tenants').extend({ items: z.array(tenant) }) },
    listMembers: {
      ...read,
      request: z.object({ tenantId: id, ...pages }),
      response: z.discriminatedUnion('kind', [page(member), badCursor, notFound]),
    },
    inviteMember: {
      ...write,
      request: newInvitation.extend({ tenantId: id }),
      response: z.discriminatedUnion('kind', [kind('invited').extend({ invitation }), notFound]),
    },
    acceptInvitation: {
      ...write,
      request: z.object({ invitationId: id, token: z.string().max(100) }),
      response: z.discriminatedUnion('kind', [kind('accepted').extend({ membership }), notFound]),
    },
    removeMember: {
      ...write,
      request: z.object({ membershipId: id }),
      response: z.discriminatedUnion('kind', [kind('removed'), kind('last-admin'), notFound]),
    },
  },
  events: {
    ProfileCreated: fact('profile.created', {
      name: z.string(),
      email: z.string(),
      origin: z.enum(['invitation', 'registration']),
    }),
    EmailChanged: fact('email.changed', { email: z.string(), version }),
    /** One for the person's home and one for each tenant that he belongs to; so is ExportRequested. */
    ProfileErased: fact('profile.erased', {}),
    ExportRequested: fact('export.requested', { exportId: id }),
    /** As the membership is now: of two about one membership, the one with the higher version is right. */
    MembershipGranted: fact('membership.granted', { membershipId: id, version, roles: z.array(role) }),
    MembershipRevoked: fact('membership.revoked', { membershipId: id, version }),
    MailRequested: {
      type: eventType('users', 'mail.requested'),
      topic: 'notifications.requests',
      data: z.object({ to: z.string(), subject: z.string(), text: z.string() }),
    },
  },
  consumes: { auth: ['auth.events'], orders: ['orders.personal-data'] },
} as const satisfies Contract;
