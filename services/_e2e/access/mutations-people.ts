import { behind, doors, probes, tenantless, unrefused, type Mutation } from './mutation.ts';

// Not here, because no request can tell:
// - mayGive: with the table as it is, whoever may invite is an admin, and has every permission that a role brings.
// - isMember's first condition: each method has refused who is nobody before.
// - addPart's conditions: over a route it adds to an export whose id was made a moment before.
// - isId, here and in auth: what is no id is nobody's in any case; it keeps odd text from the database.
// - lockAdmins: that an admin is the last one is a rule, and no secret.
// - forgetSaid and forgetAnswers name no tenant: which rows they see is for row-level security alone to say.
// What only events and due work do (activateProfile, declineProfile, dropExport) is asked by no caller.

const [methods, tenants] = ['users/methods.ts', 'users/tenants.ts'];
const [store, memberships, exports] = ['users/store.ts', 'users/memberships.ts', 'users/exports.ts'];

/** A method that no longer asks who is asking. */
const unnamed = (file: string, method: string, text = "if (!call.principal) return { kind: 'unauthenticated' };") =>
  behind(file, `async ${method}(`, doors(method), text);

/** A statement that means more rows than it should. */
const widened = (file: string, within: string, texts: readonly string[], route: string): Mutation[] =>
  texts.map((text) =>
    tenantless(file, within, text, [route], text.replace(/^.*(\$\d)$/, '$1::text is not null').replace(/^ and .*/, '')),
  );

const checks: readonly Mutation[] = [
  ...behind(
    methods,
    'const mayChange =',
    probes('changeUser'),
    ['call.principal?.subject === userId', 'call.principal !== undefined'],
    ['call.tenant === home && ', ''],
    ["isPermitted(permissions['people.change'], call)", 'true'],
  ),
  ...behind(
    methods,
    'const mayRead =',
    probes('getUser'),
    ['call.principal?.subject === userId', 'call.principal !== undefined'],
    "if (!isPermitted(permissions['people.read'], call)) return false;",
    ['(await findMembership(database.of(call.tenant), call.tenant, userId)) !== undefined', 'true'],
  ),
  ...behind(methods, 'async getUser(', probes('getUser'), ['if (await mayRead(call, userId))', '']),
  ...behind(methods, 'async function edit(', probes('changeUser'), 'if (refused) return refused;'),
  ...behind(methods, 'async eraseUser(', probes('eraseUser'), 'if (refused) return refused;'),
  ...behind(methods, 'async requestExport(', probes('requestExport'), 'if (refused) return refused;'),
  ...unrefused('users', 'listUsers'),
  ...behind(methods, 'async listUsers(', probes('listUsers'), [
    'tenant === home ? undefined : await memberIds(database.of(tenant), tenant)',
    'undefined',
  ]),
  ...unnamed(methods, 'getExport'),
  ...behind(methods, 'async getExport(', probes('getExport'), ['&& mayChange(call, found.userId)', '']),
  ...behind(
    tenants,
    'const isMember =',
    probes('listMembers'),
    ['tenant === tenantId &&', ''],
    ['(await members.findMembership(database.of(tenantId), tenantId, principal.subject)) !== undefined', 'true'],
  ),
  ...behind(tenants, 'const isPerson =', probes('createTenant'), ['?.user !== undefined', ' !== null']),
  ...['createTenant', 'listMembers', 'inviteMember', 'acceptInvitation', 'removeMember'].flatMap((method) =>
    unnamed(tenants, method),
  ),
  ...unnamed(tenants, 'listTenants', "if (!principal) return { kind: 'unauthenticated' };"),
  ...behind(
    tenants,
    'async createTenant(',
    probes('createTenant'),
    "if (!(await isPerson(tx, subject))) return { kind: 'forbidden' as const };",
  ),
  ...['listMembers', 'inviteMember'].flatMap((method) =>
    behind(
      tenants,
      `async ${method}(`,
      probes(method),
      "if (!(await isMember(call, tenantId))) return { kind: 'not-found' };",
    ),
  ),
  ...behind(
    tenants,
    'async inviteMember(',
    probes('inviteMember'),
    "if (!isPermitted(permissions['tenants.manage'], call)) return { kind: 'forbidden' };",
  ),
  ...behind(
    tenants,
    'async acceptInvitation(',
    probes('acceptInvitation'),
    "if (!(await isPerson(tx, subject))) return { kind: 'not-found' as const };",
    ['invitation?.tokenHash === hashOf(token)', 'invitation !== undefined'],
    [' && invitation.expiresAt > new Date()', ''],
  ),
  ...behind(
    tenants,
    'async removeMember(',
    probes('removeMember'),
    [' || !(await isMember(call, tenant))', ''],
    "if (!isOwn && !isPermitted(permissions['tenants.manage'], call)) return { kind: 'forbidden' as const };",
    ['membership.userId === principal.subject', 'true'],
  ),
  ...['listRoles', 'grantRole', 'revokeRole'].flatMap((method) => unrefused('auth', method)),
  ...behind(
    'auth/methods.ts',
    'const belongs =',
    probes('listRoles'),
    ['(await tx.within(home, () => findAccount(tx, userId))) !== undefined &&', ''],
    ['(tenant === home || (await isMember(tx, tenant, userId)))', 'true'],
  ),
  ...['listRoles', 'grantRole', 'revokeRole'].flatMap((method) =>
    behind('auth/methods.ts', `async ${method}(`, probes(method), ['await belongs(tx, tenant, userId)', 'true']),
  ),
  ...behind('auth/exchange.ts', 'async function prepare', probes('sendForgotten', 'sendPassword'), [
    "request.method === 'POST' && !guard.accepts(request.headers, visit.cookies, visit.form)",
    'false',
  ]),
];

const statements: readonly Mutation[] = [
  ...widened(store, 'function findProfile', ['tenant = $1', 'id = $2'], 'getUser'),
  ...widened(store, 'function lockProfile', ['tenant = $1', 'id = $2'], 'changeUser'),
  ...widened(store, 'function namesOf', ['tenant = $1'], 'listMembers'),
  ...widened(store, 'function loadPublic', ['tenant = $1', 'id = $2'], 'getUser'),
  ...widened(store, 'function listProfiles', ['p.tenant = $1'], 'listUsers'),
  tenantless(store, 'function listProfiles', 'p.id = any($2)', ['listUsers'], 'true'),
  tenantless(store, 'function insert(', 'home,', ['createUser'], "'quiet',"),
  ...widened(store, 'function changeProfile', ['tenant = $1', 'id = $2'], 'changeUser'),
  ...widened(store, 'function eraseProfile', ['tenant = $1', 'id = $2'], 'eraseUser'),
  ...widened(memberships, 'function lockTenant', ['tenant = $1'], 'inviteMember'),
  ...widened(
    memberships,
    'function findMembership',
    ['m.tenant = $1', 'm.user_id = $2', ' and m.revoked_at is null'],
    'listMembers',
  ),
  ...widened(memberships, 'function placesOf', ['user_id = $1'], 'listTenants'),
  ...widened(
    memberships,
    'function belongingOf',
    ['m.tenant = $1', 'm.user_id = $2', ' and m.revoked_at is null'],
    'listTenants',
  ),
  ...widened(memberships, 'function listMembers', ['m.tenant = $1', ' and m.revoked_at is null'], 'listMembers'),
  ...widened(memberships, 'function memberIds', ['tenant = $1', ' and revoked_at is null'], 'listUsers'),
  tenantless(memberships, 'function grant', '[tenant, uuidv7()', ['acceptInvitation'], "['quiet', uuidv7()"),
  ...widened(memberships, 'function revoke', ['tenant = $1', 'id = $2'], 'removeMember'),
  ...widened(
    memberships,
    'function lockMembership',
    ['m.tenant = $1', 'm.id = $2', ' and m.revoked_at is null'],
    'removeMember',
  ),
  ...widened(memberships, 'function hasOtherAdmin', ['tenant = $1', ' and revoked_at is null'], 'removeMember'),
  tenantless(memberships, 'function addInvitation', '[tenant, id', ['inviteMember'], "['quiet', id"),
  ...widened(memberships, 'function lockInvitation', ['tenant = $1', 'id = $2'], 'acceptInvitation'),
  ...widened(memberships, 'function endInvitation', ['tenant = $1', 'id = $2'], 'acceptInvitation'),
  tenantless(memberships, 'update outbox', 'tenant = $1', ['acceptInvitation']),
  tenantless(exports, 'function addExport', '[home, id', ['requestExport'], "['quiet', id"),
  ...widened(exports, 'function findExport', ['tenant = $1', 'id = $2'], 'getExport'),
  ...widened(exports, 'from export_parts', ['tenant = $1', 'export_id = $2'], 'getExport'),
  ...widened(exports, 'const dropExportsOf', ['tenant = $1', 'user_id = $2'], 'eraseUser'),
  ...widened('auth/store-accounts.ts', 'function findAccount', ['tenant = $1', 'id = $2'], 'listRoles'),
  ...widened('auth/store-roles.ts', 'function rolesIn', ['tenant = $1', 'account_id = $2'], 'listRoles'),
  ...widened(
    'auth/store-roles.ts',
    'function isMember',
    ['tenant = $1', 'account_id = $2', ' and active'],
    'listRoles',
  ),
  tenantless('auth/store-roles.ts', 'function addRole', '[tenant, accountId', ['grantRole'], "['quiet', accountId"),
  ...widened('auth/store-roles.ts', 'function removeRole', ['tenant = $1', 'account_id = $2'], 'revokeRole'),
];

/** What is checked of people: their profiles and exports, their tenants, their roles. */
export const peopleMutations: readonly Mutation[] = [...checks, ...statements];
