/** A row that belongs to a key; streams of them are sorted by it, in the order of its code units (`collate "C"`). */
export interface Keyed {
  readonly key: string;
}

/** Pages of rows, as a cursor of a database gives them. */
export type Pages<Row> = AsyncIterable<readonly Row[]>;

type Rows<Streams> = {
  readonly [Name in keyof Streams]: Streams[Name] extends Pages<infer Row> ? readonly Row[] : never;
};

/**
 * Walks several sorted streams side by side and gives, for each key that any of them has, the rows of all of them. Holds
 * a page of each in memory, however long they are. Throws when a stream is not sorted.
 */
export async function* mergeByKey<Streams extends Record<string, Pages<Keyed>>>(
  streams: Streams,
): AsyncGenerator<{ key: string; rows: Rows<Streams> }> {
  const readers = Object.entries(streams).map(([name, pages]) => ({ name, reader: read(name, pages) }));
  for (;;) {
    let key: string | undefined;
    for (const { reader } of readers) {
      if (reader.isDry()) await reader.refill();
      const head = reader.head();
      if (head !== undefined && (key === undefined || head < key)) key = head;
    }
    if (key === undefined) return;
    const rows: Record<string, readonly Keyed[]> = {};
    for (const { name, reader } of readers) {
      const taken = reader.take(key);
      // Only the end of a page is waited for: most of the time goes into doing this for every key.
      while (reader.isDry()) {
        await reader.refill();
        taken.push(...reader.take(key));
      }
      rows[name] = taken;
    }
    yield { key, rows: rows as Rows<Streams> };
  }
}

function read(name: string, pages: Pages<Keyed>) {
  const iterator = pages[Symbol.asyncIterator]();
  let page: readonly Keyed[] = [];
  let next = 0;
  let ended = false;
  const reader = {
    head: () => page[next]?.key,
    isDry: () => next >= page.length && !ended,
    async refill() {
      while (reader.isDry()) {
        const result = await iterator.next();
        if (result.done === true) ended = true;
        else [page, next] = [result.value, 0];
      }
    },
    take(key: string) {
      const taken: Keyed[] = [];
      for (let row = page[next]; row?.key === key; row = page[++next]) taken.push(row);
      const after = page[next]?.key;
      if (after !== undefined && after < key) throw new Error(`${name} is not sorted: ${after} comes after ${key}`);
      return taken;
    },
  };
  return reader;
}
