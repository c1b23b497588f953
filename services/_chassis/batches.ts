/** The order in which what shares a transaction is done: two that share subjects lock them in the same one. */
export const bySubject = (a: { readonly subject: string }, b: { readonly subject: string }): number =>
  a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0;

/** Does the items of each tenant by themselves, one tenant after the other; gives the results in the order of the items. */
export async function eachTenant<Item extends { readonly tenant: string }, Result>(
  items: readonly Item[],
  work: (own: readonly Item[], tenant: string) => Promise<readonly Result[]>,
): Promise<Result[]> {
  const results = new Map<Item, Result>();
  for (const [tenant, own] of Map.groupBy(items, (item) => item.tenant)) {
    const found = await work(own, tenant);
    own.forEach((item, index) => results.set(item, found[index] as Result));
  }
  return items.map((item) => results.get(item) as Result);
}

/**
 * Does what comes one by one in batches of up to `most`, one batch at a time: whatever comes while one is under way is the
 * next. So a thing that comes alone waits for nobody, and the busier it gets the more is done at once. `work` gives one
 * result for each item, in their order; what it throws is thrown to all of the batch.
 */
export function inBatches<Item, Result>(
  most: number,
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
): (item: Item) => Promise<Result> {
  interface Waiting {
    readonly item: Item;
    readonly resolve: (result: Result | PromiseLike<Result>) => void;
    readonly reject: (error: unknown) => void;
  }
  const queue: Waiting[] = [];
  let running = false;

  async function drain(): Promise<void> {
    running = true;
    await Promise.resolve(); // lets everything that comes in this turn join the first batch
    while (queue.length > 0) {
      const batch = queue.splice(0, most);
      try {
        const results = await work(batch.map(({ item }) => item));
        if (results.length !== batch.length) throw new Error('a batch must give one result for each of its items');
        batch.forEach(({ resolve }, index) => resolve(results[index] as Result));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject });
      if (!running) void drain();
    });
}
