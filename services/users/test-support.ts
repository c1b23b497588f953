import { eventType } from '../_chassis/contract.ts';
import { createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService } from '../_chassis/test-support/service.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { buildApp } from './app.ts';
import { usersContract, type User } from './contract.ts';

const cache = { ttlMs: 300_000, pauseMs: 50, trustMs: 100, refreshIntervalMs: 50 };
const lasting = { invitationMs: 60_000, exportWaitMs: 60_000, exportKeptMs: 60_000 };

/** Users on a database of its own, and what tests of it say and ask again and again. */
export async function startUsers(options: { workers?: boolean; settings?: Partial<typeof lasting> } = {}) {
  const database = await createTestDatabase('users', new URL('./migrations', import.meta.url));
  await database.query(`insert into tenants (tenant, name) values ('main', 'Sidecart')`);
  const service = await startTestService({
    contract: usersContract,
    database,
    buildApp: (deps) => buildApp(deps, { publicUrl: 'http://shop.example', cache, ...lasting, ...options.settings }),
    budget: 3,
    workers: options.workers === true,
  });

  const heard = (name: string, userId: string, data: object = {}, id = uuidv7()) =>
    service.deliver({
      source: 'auth',
      topic: 'auth.events',
      type: eventType('auth', name),
      subject: userId,
      data: { userId, ...data },
      id,
    });
  const asPerson = (sub: string, roles: readonly string[] = ['customer'], tenant = 'main') =>
    service.as({ sub, roles, tenant });

  async function invite(name = 'Cleo', email = 'cleo@example.com'): Promise<User> {
    const answer = await (await service.as()).createUser({ name, email });
    if (answer.kind !== 'created') throw new Error(answer.kind);
    return answer.user;
  }

  /** Somebody whose account is verified. */
  async function person(name = 'Cleo', email?: string): Promise<User> {
    const user = await invite(name, email);
    await heard('account.verified', user.id);
    return user;
  }

  return {
    service,
    heard,
    asPerson,
    asStaff: (tenant = 'main') => asPerson('staff', ['staff'], tenant),
    invite,
    person,
    /** What everybody is shown of a person, or the kind of answer. */
    async seen(userId: string) {
      const answer = await (await service.as()).getUser({ userId });
      return answer.kind === 'public' ? answer.user : answer.kind;
    },
    async own(userId: string) {
      const answer = await (await asPerson(userId)).getUser({ userId });
      if (answer.kind !== 'found') throw new Error(answer.kind);
      return answer.user;
    },
    /** What was said with this in its envelope as subject: the short type, tenant and data. */
    async said(subject: string) {
      const events = (await service.emitted()).filter((event) => event.subject === subject);
      return events.map(({ type, tenant, data }) => ({
        name: type.replace(/^com\.sidecart\.users\.|\.v1$/g, ''),
        tenant,
        data: data as Record<string, unknown>,
      }));
    },
    /** Every text that the database holds of what this service keeps, without keys' hashes. */
    async everything() {
      const tables = [
        'profiles',
        'tenants',
        'memberships',
        'whereabouts',
        'invitations',
        'exports',
        'export_parts',
        'outbox',
        'idempotency_keys',
        'inbox',
        'due_work',
      ];
      const rows = await Promise.all(
        tables.map((table) => service.database.query(`select row_to_json(t)::text as text from ${table} t`)),
      );
      return JSON.stringify(rows);
    },
  };
}
