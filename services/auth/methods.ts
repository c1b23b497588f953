import type { Methods } from '../_chassis/call.ts';
import type { Database, Transaction } from '../_chassis/database.ts';
import { once } from '../_chassis/idempotency.ts';
import { refusedWithout } from '../_chassis/permission.ts';
import { home } from './account.ts';
import { authContract, permissions } from './contract.ts';
import type { Keys } from './keys.ts';
import { findAccount } from './store-accounts.ts';
import { dropAllOf } from './store-oidc.ts';
import { addRole, isMember, lockAdmins, removeRole, rolesIn } from './store-roles.ts';

const { RoleGranted, RoleRevoked } = authContract.events;

type AuthMethods = Methods<typeof authContract>;

/** Keys for everybody, HTTP for the gateway, and roles for admins, each in the tenant of the token. */
export function methods(deps: {
  database: Database;
  keys: Keys;
  exchangeHttp: AuthMethods['exchangeHttp'];
}): AuthMethods {
  const { database, keys, exchangeHttp } = deps;

  /** In a transaction of this tenant. */
  const belongs = async (tx: Transaction, tenant: string, userId: string): Promise<boolean> =>
    (await tx.within(home, () => findAccount(tx, userId))) !== undefined &&
    (tenant === home || (await isMember(tx, tenant, userId)));

  return {
    listKeys: async () => ({ kind: 'keys', keys: [...(await keys.current()).published] }),
    exchangeHttp,

    async listRoles({ userId }, call) {
      const refused = refusedWithout(permissions['roles.grant'], call);
      if (refused) return refused;
      const { tenant } = call;
      return database
        .of(tenant)
        .transaction(async (tx) =>
          (await belongs(tx, tenant, userId))
            ? { kind: 'roles' as const, roles: await rolesIn(tx, tenant, userId) }
            : { kind: 'not-found' as const },
        );
    },

    async grantRole(request, call) {
      const refused = refusedWithout(permissions['roles.grant'], call);
      if (refused) return refused;
      const { userId, role } = request;
      const { tenant, caller: by } = call;
      return once(database, call, 'grantRole', request, async (tx) => {
        if (!(await belongs(tx, tenant, userId))) return { kind: 'not-found' as const };
        if (await addRole(tx, tenant, userId, { role, by }))
          tx.emit(RoleGranted, { subject: userId, tenant, data: { userId, role, by } });
        return { kind: 'roles' as const, roles: await rolesIn(tx, tenant, userId) };
      });
    },

    async revokeRole(request, call) {
      const refused = refusedWithout(permissions['roles.grant'], call);
      if (refused) return refused;
      const { userId, role } = request;
      const { tenant, caller: by } = call;
      return once(database, call, 'revokeRole', request, async (tx) => {
        const admins = role === 'admin' ? await lockAdmins(tx, tenant) : [];
        if (!(await belongs(tx, tenant, userId))) return { kind: 'not-found' as const };
        if (admins.length === 1 && admins[0] === userId) return { kind: 'last-admin' as const };
        if (await removeRole(tx, tenant, userId, role)) {
          dropAllOf(tx, userId);
          tx.emit(RoleRevoked, { subject: userId, tenant, data: { userId, role, by } });
        }
        return { kind: 'roles' as const, roles: await rolesIn(tx, tenant, userId) };
      });
    },
  };
}
