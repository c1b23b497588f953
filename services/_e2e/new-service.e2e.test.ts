import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeClone, readmeCommands, type Clone } from './clone.ts';

const chapters = await readmeCommands();
const [
  [create = '', check = '', test = '', ...moreMaking] = [],
  [up = '', get = '', add = '', audit = '', down = '', ...moreRunning] = [],
] = chapters.get('Add a service') ?? [];

let clone: Clone;
let made: string;
beforeAll(async () => {
  clone = await makeClone({ packages: true });
  made = await clone.sh(create);
});
afterAll(() => clone.remove());

const placed = z.object({ id: z.string() });

/** Types a line again and again, as somebody who waits would, until it prints this. */
const prints = (line: string, text: string) =>
  expect.poll(() => clone.sh(line), { timeout: 120_000, interval: 500 }).toContain(text);

describe('a service added as the README says', () => {
  it('when it is made, says so, and is not made again', async () => {
    expect([create, moreMaking]).toEqual(['make new service=reviews', []]);
    expect(made).toContain('services/reviews is there');
    await expect(clone.sh(create)).rejects.toThrow('services/reviews is there already');
  });

  it('when it is checked and tested, all is sound, and it is forgotten nowhere', { timeout: 900_000 }, async () => {
    expect(await clone.sh(check)).toMatch(/review\.test\.ts[^]* 0 failed/);
    expect(await clone.sh(test)).toMatch(/reviews\.int\.test\.ts[^]*\n[1-9]\d* passed, 0 failed/);
    await clone.sh('PATH="$PWD/node_modules/.bin:$PATH" vitest run --project unit tools/new/registration');
  });

  it(
    'when the mesh starts with it, it answers, hears of all orders, and the books are clean',
    { timeout: 900_000 },
    async () => {
      expect([up, audit, down, moreRunning]).toEqual(['make up', 'make audit', 'make down', []]);
      expect(await clone.sh(up)).toContain('reviews-0');
      await prints(get, '"awaited"'); // it was shipped before there was a service that could know
      expect(await clone.sh(add)).toContain('"added"');
      expect(await clone.sh(get)).toContain('Arrived in one piece.');
      expect(await clone.sh(`make db service=reviews sql="select topic, type from outbox"`)).toMatch(
        /reviews\.events .*com\.sidecart\.reviews\.review\.added\.v1/,
      );

      const order = (chapters.get('Start') ?? []).flat().find((line) => line.includes('paymentToken')) ?? '';
      const { id } = placed.parse(JSON.parse(/\{.*\}/.exec(await clone.sh(order))?.[0] ?? ''));
      await prints(get.replace('"1"', `"${id}"`), '"awaited"');
      expect(await clone.sh(audit)).toContain('clean:');

      // A dead letter and not a pending one, which the mesh would mend before anybody looks.
      await clone.sh(`make db service=reviews sql="update inbox set status = 'failed' where subject = '${id}'"`);
      await expect(clone.sh(audit)).rejects.toThrow(`of ${id} at reviews: failed, and its row says no cause`);

      await clone.sh(down);
      expect(await clone.processes()).toEqual([]);
      for (const port of [8080, 8087, 3587, 6587]) await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    },
  );
});
