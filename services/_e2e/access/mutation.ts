/** One check taken out of the code, and the part of the tests that has to find it missing. */
export interface Mutation {
  /** Below services/. */
  readonly file: string;
  /** Where the text is looked for: the first place behind this one. */
  readonly within?: string;
  readonly text: string;
  readonly becomes: string;
  readonly foundBy: Part;
}

/** A part of the tests, and the routes that are enough. */
export interface Part {
  readonly part: 'walk' | 'probes' | 'doors';
  /** Whether row-level security is left on, the second lock that hides what is missing from the first. */
  readonly locked?: boolean;
  readonly routes: readonly string[];
}

/** The walk, by routes that differ in what it asks. */
export const walk: Part = { part: 'walk', routes: ['getProduct', 'listOrders', 'placeOrder'] };
/** The probes of these routes. */
export const probes = (...routes: string[]): Part => ({ part: 'probes', routes });
/** Their methods' own doors. */
export const doors = (...routes: string[]): Part => ({ part: 'doors', routes });

type Change = readonly [text: string, becomes: string];
/** Checks of one file that the same part finds missing. */
export const taken = (file: string, foundBy: Part, ...changes: readonly (Change | string)[]): Mutation[] =>
  changes.map((change) => {
    const [text, becomes] = typeof change === 'string' ? [change, ''] : change;
    return { file, text, becomes, foundBy };
  });

/** Checks behind a place in a file, found where they are missing by what is given with it. */
export const behind = (
  file: string,
  within: string,
  foundBy: Part,
  ...changes: readonly (Change | string)[]
): Mutation[] => taken(file, foundBy, ...changes).map((mutation) => ({ ...mutation, within }));

/** A method that no longer refuses who may not. */
export const unrefused = (service: string, method: string): Mutation[] =>
  behind(`${service}/methods.ts`, `async ${method}(`, doors(method), 'if (refused) return refused;');

/** A statement that no longer says whose rows it means. */
export const tenantless = (
  file: string,
  within: string,
  text: string,
  routes: readonly string[],
  becomes = text.replace('tenant = $1', '$1::text is not null'),
): Mutation => ({ file, within, text, becomes, foundBy: { ...probes(...routes), locked: false } });

/** The source with a mutation; throws where the text is no longer there. */
export function mutate(source: string, { file, within = '', text, becomes }: Mutation): string {
  const from = source.indexOf(within);
  const at = from < 0 ? -1 : source.indexOf(text, from);
  if (at < 0) throw new Error(`${file} no longer has ${text}${within && ` behind ${within}`}: say what is there now`);
  return source.slice(0, at) + becomes + source.slice(at + text.length);
}
