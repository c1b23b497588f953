import { describe, expect, it } from 'vitest';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { causeOf, DependencyError, isConflict, isOverload, isTransient } from './errors.ts';

const coded = (code: string, message = 'of the driver') => Object.assign(new Error(message), { code });

/** What PostgreSQL or its driver throws: another was first, what we depend on is away, or it is our own fault. */
const table: readonly (readonly [string, unknown, 'conflict' | 'away' | 'own'])[] = [
  ['serialisation failure', coded('40001'), 'conflict'],
  ['deadlock', coded('40P01'), 'conflict'],
  ['lock time-out', coded('55P03'), 'conflict'],
  ['unique violation', coded('23505'), 'conflict'],
  ['connection failure', coded('08006'), 'away'],
  ['too many connections', coded('53300'), 'away'],
  ['shutdown by an administrator', coded('57P01'), 'away'],
  ['starting up', coded('57P03'), 'away'],
  ['statement time-out', coded('57014'), 'away'],
  ['disk failure', coded('58030'), 'away'],
  ['idle in transaction for too long', coded('25P03'), 'away'],
  ['nobody listens', coded('ECONNREFUSED'), 'away'],
  ['connection reset', coded('ECONNRESET'), 'away'],
  ['name not known, as when a container is down', coded('ENOTFOUND'), 'away'],
  ['name server away', coded('EAI_AGAIN'), 'away'],
  ['no way to the host', coded('EHOSTUNREACH'), 'away'],
  ['connection lost', new Error('Connection terminated unexpectedly'), 'away'],
  ['no connection in time', new Error('timeout exceeded when trying to connect'), 'away'],
  ['no connection in time, from the client', new Error('timeout expired'), 'away'],
  ['no answer in time', new Error('Query read timeout'), 'away'],
  ['a used-up connection', new Error('Client has encountered a connection error and is not queryable'), 'away'],
  ['another service', new DependencyError('bank', 'breaker-open'), 'away'],
  ['one of these as the cause', new Error('could not', { cause: coded('57P01') }), 'away'],
  ['foreign key violation', coded('23503'), 'own'],
  ['check violation', coded('23514'), 'own'],
  ['not null violation', coded('23502'), 'own'],
  ['syntax error', coded('42601'), 'own'],
  ['no such table', coded('42P01'), 'own'],
  ['text that cannot be stored', coded('22021'), 'own'],
  ['aborted transaction', coded('25P02'), 'own'],
  ['a defect', new TypeError('x is not a function'), 'own'],
  ['a handler that says no', new Error('there is no order 1'), 'own'],
  ['something that is no error', 'connection terminated', 'own'],
  ['nothing', undefined, 'own'],
];

describe('a failure', () => {
  it.each(table)('when it is %s, it is told apart', (_name, error, kind) => {
    expect({ conflict: isConflict(error), transient: isTransient(error) }).toEqual({
      conflict: kind === 'conflict',
      transient: kind !== 'own',
    });
  });

  it('when every connection of the pool is taken, and only then, it is overload', async () => {
    const hanging = createServer().listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    const { port } = hanging.address() as AddressInfo;
    const pool = new pg.Pool({ max: 1, connectionTimeoutMillis: 50, host: '127.0.0.1', port });
    const connect = () => pool.connect().catch((thrown: unknown) => thrown);
    const [connecting, waiting] = await Promise.all([connect(), connect()]);
    expect([isOverload(connecting), isTransient(connecting)]).toEqual([false, true]);
    expect([isOverload(waiting), isTransient(waiting)]).toEqual([true, true]);
    hanging.close();
  });

  it('when it has causes, one line tells all of them', () => {
    const inner = new DependencyError('bank', 'failed', { detail: '503' });
    expect(causeOf(new Error('outer', { cause: inner }))).toBe('outer: bank: failed (503)');
    expect([causeOf('text'), causeOf(undefined)]).toEqual(['text', 'undefined']);
  });
});
