import { expect, it } from 'vitest';
import { mergeByKey } from './merge.ts';

async function* pages(...list: readonly string[][]): AsyncGenerator<{ key: string; page: number }[]> {
  for (const [page, keys] of list.entries()) yield keys.map((key) => ({ key, page }));
}

it('when streams have keys of their own and in common, gives each key once with the rows of all', async () => {
  const seen: string[] = [];
  const streams = { left: pages(['a', 'b', 'b'], [], ['b', 'd']), right: pages(['B', 'b'], ['c']), none: pages() };
  for await (const { key, rows } of mergeByKey(streams)) {
    seen.push(`${key} ${rows.left.map((row) => row.page).join('')}/${rows.right.length}/${rows.none.length}`);
  }
  expect(seen).toEqual(['B /1/0', 'a 0/0/0', 'b 002/1/0', 'c /1/0', 'd 2/0/0']);
});

it('when a stream is not sorted, throws', async () => {
  const walk = async () => {
    for await (const { key } of mergeByKey({ left: pages(['b', 'a']) })) expect(key).toBe('b');
  };
  await expect(walk()).rejects.toThrow('left is not sorted: a comes after b');
});
