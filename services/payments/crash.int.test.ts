import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DependencyError } from '../_chassis/errors.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { startBench, type Bench } from './test-bench.ts';

// What a crash, a dead bank and a dead database leave behind, each on a bench of its own.
let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => {
  const neglected = await bench.neglected();
  await bench.close();
  expect(neglected).toEqual([]);
});

const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 10 });
const becomes = (orderId: string, state: string) => until(async () => expect(await bench.stateOf(orderId)).toBe(state));
const countIn = async (state: string) =>
  (await bench.database.query('select 1 from payments where state = $1', [state])).length;
const down = () => Promise.reject(new DependencyError('bank', 'unreachable'));

/** As a worker leaves it that died after the mark: sent, leased once, and the lease has run out. */
async function leaveMarked(orderId: string) {
  await bench.request(orderId);
  await bench.database.query(`update payments set state = 'charging-sent' where order_id = $1`, [orderId]);
  await bench.database.query(
    `update due_work set state = 'charging-sent', attempts = 1, leased_until = clock_timestamp() where subject = $1`,
    [orderId],
  );
}

describe('a worker that died', () => {
  it('when that was between mark and call, the next one asks by key first and then charges', async () => {
    const id = uuidv7();
    await leaveMarked(id);
    bench.startWorker();
    await becomes(id, 'captured');
    expect(bench.calls).toEqual([`GET /charges/${id}`, 'POST /charges']);
    expect(await bench.movedFor(id)).toEqual(['charge']);
  });

  it('when that was between call and result, the next one finds the result by key and does not charge again', async () => {
    const id = uuidv7();
    await leaveMarked(id);
    const captured = `insert into charges (key, state, amount, currency) values ($1, 'captured', 1250, 'EUR')`;
    await bench.books.query(captured, [id]);
    bench.startWorker();
    await becomes(id, 'captured');
    expect(bench.calls).toEqual([`GET /charges/${id}`]);
    expect(await bench.answersTo(id)).toEqual(['captured']);
  });

  it('when that was between mark and call and the order is withdrawn, the key is burnt', async () => {
    const id = uuidv7();
    await leaveMarked(id);
    await bench.withdraw(id);
    expect([await bench.stateOf(id), await bench.answersTo(id)]).toEqual(['reversing', []]);
    bench.startWorker();
    await becomes(id, 'voided');
    expect(bench.calls).toEqual([`POST /charges/${id}/reversal`]);
    expect(await bench.answersTo(id)).toEqual(['reversed voided']);
  });
});

describe('a bank that is down', () => {
  it('when three tries brought no answer, no intent is sent, one question is asked at a time, and all end once it is back', async () => {
    let underWay = 0;
    let most = 0;
    bench.through(async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay--;
      return down();
    });
    bench.startWorker();
    const sent = uuidv7();
    await bench.request(sent);
    // The fourth begins only when the third has ended without an answer, and no intent is sent from then on.
    await until(async () => expect(bench.calls.length).toBeGreaterThanOrEqual(4));
    most = 0;

    const later = Array.from({ length: 12 }, () => uuidv7());
    const [stopped = ''] = later;
    for (const id of later) await bench.request(id);
    const asked = bench.calls.length;
    await until(async () => expect(bench.calls.length).toBeGreaterThan(asked + 3));
    expect(await countIn('charging-unsent')).toBe(12);
    expect(most).toBe(1);

    await bench.withdraw(stopped);
    expect([await bench.stateOf(stopped), await bench.answersTo(stopped)]).toEqual(['voided', ['reversed voided']]);

    bench.through();
    await until(async () => expect(await countIn('captured')).toBe(12));
    expect(await bench.movedFor(stopped)).toEqual([]);
  });

  it('when it stays down, what was sent can still be withdrawn, and is reversed once it is back', async () => {
    const id = uuidv7();
    bench.through(down);
    bench.startWorker();
    await bench.request(id);
    await becomes(id, 'charging-sent');
    await bench.withdraw(id);
    await becomes(id, 'reversing');
    const asked = bench.calls.length;
    await until(async () => expect(bench.calls.length).toBeGreaterThan(asked + 2));
    expect(await bench.answersTo(id)).toEqual([]);
    bench.through();
    await becomes(id, 'voided');
    expect(await bench.answersTo(id)).toEqual(['reversed voided']);
  });

  it('when many answers are lost but questions are answered, others are charged all the same', async () => {
    bench.startWorker();
    const lost = Array.from({ length: 6 }, () => uuidv7());
    for (const id of lost) await bench.request(id, 'tok_lost');
    const id = uuidv7();
    await bench.request(id);
    await becomes(id, 'captured');
    for (const each of lost) await becomes(each, 'captured');
  });
});

describe('a database that is away', () => {
  it('when the outcome cannot be written, the lease ends and the next try finds it by key', async () => {
    const id = uuidv7();
    const cut = new Promise<void>((resolve) => {
      bench.through(async (_path, send) => {
        const reply = await send();
        bench.through();
        bench.breakDatabase(true);
        setTimeout(resolve, 20);
        return reply;
      });
    });
    bench.startWorker();
    await bench.request(id);
    await cut;
    expect([await bench.stateOf(id), await bench.movedFor(id)]).toEqual(['charging-sent', ['charge']]);
    bench.breakDatabase(false);
    await becomes(id, 'captured');
    expect(bench.calls).toEqual(['POST /charges', `GET /charges/${id}`]);
    expect([await bench.movedFor(id), await bench.answersTo(id)]).toEqual([['charge'], ['captured']]);
  });
});
