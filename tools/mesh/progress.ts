/** What a launcher tells whoever started it. */
export type Progress =
  | { readonly kind: 'started'; readonly step: string }
  | { readonly kind: 'detail'; readonly step: string; readonly text: string }
  | { readonly kind: 'done'; readonly step: string; readonly text: string; readonly ms: number }
  /** Something that happened to a process, in words. */
  | { readonly kind: 'event'; readonly text: string };

/** Tells of a step's start and end around some work; the work's result says what there is to tell at the end. */
export async function step<T>(
  report: (progress: Progress) => void,
  name: string,
  work: () => Promise<T>,
  describe: (result: T) => string = () => '',
): Promise<T> {
  const started = Date.now();
  report({ kind: 'started', step: name });
  const result = await work();
  report({ kind: 'done', step: name, text: describe(result), ms: Date.now() - started });
  return result;
}
