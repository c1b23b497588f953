import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventType } from '../_chassis/contract.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { startUsers } from './test-support.ts';

let users: Awaited<ReturnType<typeof startUsers>>;
beforeAll(async () => {
  users = await startUsers();
});
afterAll(() => users.service.close());

const names = async (id: string) => (await users.said(id)).map(({ name }) => name);
const inboxOf = async (subject: string) =>
  users.service.database.query('select status, attempts, cause from inbox where subject = $1', [subject]);

describe('account.registered', () => {
  const registered = { name: 'Hana', email: 'hana@example.com' };

  it('when it comes, and again, there is one profile, which the verification makes active and a customer', async () => {
    const [id, eventId] = [uuidv7(), uuidv7()];
    for (let n = 0; n < 3; n++)
      expect(await users.heard('account.registered', id, registered, eventId)).toBe('SUCCESS');
    expect(await users.own(id)).toMatchObject({ ...registered, status: 'invited' });
    for (let n = 0; n < 2; n++) await users.heard('account.verified', id);
    expect(await users.own(id)).toMatchObject({ status: 'active' });
    expect(await users.said(id)).toMatchObject([
      { name: 'profile.created', data: { ...registered, origin: 'registration' } },
      { name: 'membership.granted', tenant: 'main', data: { userId: id, roles: ['customer'], version: 1 } },
    ]);
  });

  it('when the verification overtakes it, the end is the same, and in between there is nobody', async () => {
    const id = uuidv7();
    await users.heard('account.verified', id);
    expect(await users.seen(id)).toBe('not-found');
    await users.heard('account.registered', id, registered);
    expect(await users.own(id)).toMatchObject({ ...registered, status: 'active' });
    expect(await names(id)).toEqual(['membership.granted', 'profile.created']);
    users.service.sidecar.flush();
    expect(await users.seen(id)).toMatchObject({ name: 'Hana' });
  });

  it('when all come at once, in both orders, the end is the same', async () => {
    for (let n = 0; n < 10; n++) {
      const id = uuidv7();
      await Promise.all([users.heard('account.registered', id, registered), users.heard('account.verified', id)]);
      expect(await users.own(id)).toMatchObject({ status: 'active' });
    }
  });

  it('when it says no name, it ends as a dead letter with its cause', async () => {
    const [id, eventId] = [uuidv7(), uuidv7()];
    const told = [];
    for (let n = 0; n < 3; n++) told.push(await users.heard('account.registered', id, { email: 'x' }, eventId));
    expect(told).toEqual(['RETRY', 'RETRY', 'SUCCESS']);
    expect(await inboxOf(id)).toMatchObject([{ status: 'failed', attempts: 3 }]);
    expect(await users.seen(id)).toBe('not-found');
  });
});

describe('account.declined', () => {
  it('when nobody was invited under that id, nobody can be later', async () => {
    const id = uuidv7();
    await users.heard('account.declined', id);
    await users.heard('account.registered', id, { name: 'x', email: 'x@example.com' });
    expect(await users.seen(id)).toBe('not-found');
  });

  it('when it is about a new address of somebody active, he stays', async () => {
    const { id } = await users.person('Ida');
    await users.heard('account.declined', id, { reason: 'email-taken' });
    expect(await users.own(id)).toMatchObject({ name: 'Ida', status: 'active' });
  });
});

describe('an export', () => {
  const collected = (service: string, exportId: string, data: object, tenant = 'main', id = uuidv7()) =>
    users.service.deliver({
      source: service,
      topic: service === 'auth' ? 'auth.events' : 'orders.personal-data',
      type: eventType(service, 'personal-data.collected'),
      subject: exportId,
      data: { exportId, data },
      tenant,
      id,
    });
  async function request(userId: string) {
    const answer = await (await users.asPerson(userId)).requestExport({ userId });
    if (answer.kind !== 'requested') throw new Error(answer.kind);
    return answer.exportId;
  }
  async function look(userId: string, exportId: string) {
    const answer = await (await users.asPerson(userId)).getExport({ exportId });
    if (answer.kind !== 'found') throw new Error(answer.kind);
    return answer.export;
  }

  it('when services answer, in parts and more than once, it is complete with the last', async () => {
    const { id } = await users.person('Jon', 'jon@example.com');
    const exportId = await request(id);
    const first = await look(id, exportId);
    expect(first).toMatchObject({
      status: 'collecting',
      parts: [{ service: 'users', data: { profile: { name: 'Jon' } } }],
    });
    expect(first.missing.map(({ service }) => service)).toEqual(['auth', 'orders']);
    const eventId = uuidv7();
    for (let n = 0; n < 2; n++) await collected('orders', exportId, { part: 1, of: 2, orders: [] }, 'main', eventId);
    await collected('auth', exportId, { email: 'jon@example.com' });
    expect(await look(id, exportId)).toMatchObject({ status: 'collecting', missing: [{ service: 'orders' }] });
    await collected('orders', exportId, { part: 2, of: 2, orders: [] });
    const last = await look(id, exportId);
    expect(last).toMatchObject({ status: 'complete', missing: [] });
    expect(last.parts.map(({ service }) => service)).toEqual(['users', 'orders', 'auth', 'orders']);
  });

  it('when he is in two tenants, both are asked, and both are waited for', async () => {
    const { id } = await users.person('Kim');
    await (await users.asPerson(id)).createTenant({ id: 'kim-co', name: 'Kim' });
    const exportId = await request(id);
    expect((await users.said(exportId)).map(({ tenant }) => tenant).sort()).toEqual(['kim-co', 'main']);
    expect((await look(id, exportId)).missing).toEqual([
      { service: 'auth', tenant: 'main' },
      { service: 'orders', tenant: 'main' },
      { service: 'orders', tenant: 'kim-co' },
    ]);
  });

  it('when a service does not answer in time, it is named, and is still welcome', async () => {
    const { id } = await users.person('Lea');
    const exportId = await request(id);
    await users.service.database.query('update exports set due_at = now() where id = $1', [exportId]);
    await collected('orders', exportId, { orders: [] });
    expect(await look(id, exportId)).toMatchObject({ status: 'incomplete', missing: [{ service: 'auth' }] });
    await collected('auth', exportId, {});
    expect((await look(id, exportId)).status).toBe('complete');
  });

  it('when it is somebody else’s, there is none; when its person is erased, it is gone, whatever comes later', async () => {
    const { id } = await users.person('Max');
    const exportId = await request(id);
    expect(await (await users.asPerson('2')).getExport({ exportId })).toEqual({ kind: 'not-found' });
    expect(await (await users.asPerson('2')).requestExport({ userId: id })).toEqual({ kind: 'forbidden' });
    expect(await (await users.asStaff()).getExport({ exportId })).toMatchObject({ kind: 'found' });
    await (await users.asPerson(id)).eraseUser({ userId: id });
    expect(await collected('auth', exportId, { email: 'max@example.com' })).toBe('SUCCESS');
    expect(await (await users.asStaff()).getExport({ exportId })).toEqual({ kind: 'not-found' });
    expect(await users.service.database.query('select 1 from export_parts where export_id = $1', [exportId])).toEqual(
      [],
    );
  });
});
