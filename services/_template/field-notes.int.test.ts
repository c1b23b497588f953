import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventType } from '../_chassis/contract.ts';
import { between, createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { buildApp } from './app.ts';
import { fieldNotesContract } from './contract.ts';

let service: TestService<typeof fieldNotesContract>;
let away = false;
beforeAll(async () => {
  const database = await createTestDatabase('field-notes', new URL('./migrations', import.meta.url));
  const refused = () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
  service = await startTestService({
    contract: fieldNotesContract,
    database: between(database, (scope) => ({ transaction: (work) => (away ? refused() : scope.transaction(work)) })),
    buildApp,
    budget: 3,
  });
});
afterAll(() => service.close());

const asStaff = (tenant = 'main') => service.as({ sub: '3', roles: ['staff'], tenant });
const get = async (orderId: string) => (await service.as()).getFieldNote({ orderId });
const add = async (orderId: string, text = 'All there.', key = uuidv7()) =>
  (await asStaff()).addFieldNote({ orderId, text }, { idempotencyKey: key });

const ship = (orderId: string, id = uuidv7(), data: object = { orderId }) =>
  service.deliver({
    source: 'orders',
    topic: 'orders.events',
    type: eventType('orders', 'order.shipped'),
    subject: orderId,
    data: { status: 'shipped', version: 4, ...data },
    id,
  });
const inboxOf = (orderId: string) =>
  service.database.query('select status, attempts, cause from inbox where subject = $1', [orderId]);
const emittedFor = async (orderId: string) => (await service.emitted()).filter((event) => event.subject === orderId);

describe('addFieldNote', () => {
  it('when the order has been shipped, it can be read from then on and is told once', async () => {
    const orderId = uuidv7();
    await ship(orderId);
    expect(await get(orderId)).toEqual({ kind: 'awaited' });
    expect(await add(orderId, ' All there. ')).toEqual({ kind: 'added' });
    expect(await get(orderId)).toEqual({ kind: 'found', orderId, text: 'All there.' });
    expect(await emittedFor(orderId)).toMatchObject([
      { type: fieldNotesContract.events.FieldNoteAdded.type, tenant: 'main', data: { orderId, text: 'All there.' } },
    ]);
  });

  it('when the order has not been shipped, or there is one already, nothing changes', async () => {
    const orderId = uuidv7();
    expect(await add(orderId)).toEqual({ kind: 'not-shipped' });
    expect(await get(orderId)).toEqual({ kind: 'not-shipped' });
    await ship(orderId);
    await add(orderId, 'First.');
    expect(await add(orderId, 'Second.')).toEqual({ kind: 'already-added' });
    expect(await get(orderId)).toMatchObject({ text: 'First.' });
  });

  it('when a key comes again, the answer does too; with another request it is refused', async () => {
    const orderId = uuidv7();
    await ship(orderId);
    const key = uuidv7();
    expect(await add(orderId, 'All there.', key)).toEqual({ kind: 'added' });
    expect(await add(orderId, 'All there.', key)).toEqual({ kind: 'added' });
    expect(await add(orderId, 'Half there.', key)).toEqual({ kind: 'key-reused' });
    expect(await emittedFor(orderId)).toHaveLength(1);
  });

  it('when many come at once, one is added', async () => {
    const orderId = uuidv7();
    await ship(orderId);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => add(orderId, `Number ${n}.`)));
    expect(answers.filter(({ kind }) => kind === 'added')).toHaveLength(1);
    expect(await emittedFor(orderId)).toHaveLength(1);
  });

  it('when the caller is not of the staff, or of another tenant, it is refused', async () => {
    const orderId = uuidv7();
    await ship(orderId);
    const request = { orderId, text: 'Mine.' };
    expect(await (await service.as()).addFieldNote(request)).toEqual({ kind: 'unauthenticated' });
    const customer = await service.as({ sub: '1', roles: ['customer'] });
    expect(await customer.addFieldNote(request)).toEqual({ kind: 'forbidden' });
    expect(await (await asStaff('other')).addFieldNote(request)).toEqual({ kind: 'not-shipped' });
    expect(await (await asStaff('other')).getFieldNote({ orderId })).toEqual({ kind: 'not-shipped' });
  });
});

describe('orders.events', () => {
  it('when an event comes again, even at the same time, it is handled once', async () => {
    const [orderId, id] = [uuidv7(), uuidv7()];
    const told = await Promise.all(Array.from({ length: 5 }, () => ship(orderId, id)));
    expect(new Set(told)).toEqual(new Set(['SUCCESS']));
    expect(await inboxOf(orderId)).toMatchObject([{ status: 'handled' }]);
  });

  it('when it comes after one was added, that one stays', async () => {
    const orderId = uuidv7();
    await ship(orderId);
    await add(orderId);
    expect(await ship(orderId)).toBe('SUCCESS');
    expect(await get(orderId)).toMatchObject({ kind: 'found' });
  });

  it('when an event lacks what is needed, it is tried until its budget is spent and ends as a dead letter', async () => {
    const [orderId, id] = [uuidv7(), uuidv7()];
    const poison = () => ship(orderId, id, { orderId: undefined });
    expect([await poison(), await poison(), await poison()]).toEqual(['RETRY', 'RETRY', 'SUCCESS']);
    const cause: unknown = expect.stringContaining('orderId');
    expect(await inboxOf(orderId)).toMatchObject([{ status: 'failed', attempts: 3, cause }]);
  });

  it('when the database is away, the event comes again and spends no budget', async () => {
    const [orderId, id] = [uuidv7(), uuidv7()];
    away = true;
    for (let n = 0; n < 5; n++) expect(await ship(orderId, id)).toBe('RETRY');
    away = false;
    expect(await ship(orderId, id)).toBe('SUCCESS');
    expect(await inboxOf(orderId)).toMatchObject([{ status: 'handled', attempts: 0 }]);
  });
});
