import { openShop, type Shop } from '../../services/_e2e/shop.ts';

/** How much of a drill is run: a share that fits into CI, or the whole that its promise speaks of. */
export type Size = 'share' | 'whole';

/** What was counted or measured, by a name in camelCase that carries its unit. */
export type Figures = Readonly<Record<string, number | string>>;

/** What a drill is given. */
export interface DrillDeps {
  /** Decides all that is drawn at random; timing does not follow it. */
  readonly seed: number;
  /** Told in few words how far it is, as often as the drill likes. */
  readonly report: (text: string) => void;
  /** Ends the drill early: its mesh is stopped, and `run` fails. */
  readonly signal?: AbortSignal | undefined;
}

/** What came of a drill; it holds what it promises if there are no violations. */
export interface DrillResult {
  readonly figures: Figures;
  readonly rounds: readonly Figures[];
  readonly violations: readonly string[];
}

/** A long run against the whole mesh that proves one promise. */
export interface Drill {
  readonly name: string;
  /** One sentence. */
  readonly proves: string;
  run(size: Size, deps: DrillDeps): Promise<DrillResult>;
}

/** Opens a shop for some work and closes it whatever comes of that, or when the drill is to end. */
export async function withShop<T>(
  { signal, report }: DrillDeps,
  options: Parameters<typeof openShop>[0],
  work: (shop: Shop) => Promise<T>,
): Promise<T> {
  report('starting a mesh');
  const shop = await openShop({ ...options, signal });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= shop.close());
  const aborted = new Promise<never>((_, reject) => {
    const end = () => void close().then(() => reject(new Error('interrupted')), reject);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
  try {
    return await Promise.race([work(shop), aborted]);
  } finally {
    await close();
  }
}
