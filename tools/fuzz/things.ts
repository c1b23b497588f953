import { z } from 'zod';
import type { Operation } from './document.ts';
import type { Draw } from './draw.ts';

/** Something that an answer named, and who saw it; `made` is what a request of ours brought into being. */
export interface Thing {
  readonly value: string;
  readonly by: string | undefined;
  readonly made: boolean;
}

const kept = 200;
const record = z.record(z.string(), z.unknown());

/** What answers have named so far: ids by the parameter they can be sent as, cursors by the path of their list. */
export function collectThings(operations: readonly Operation[]) {
  const known = new Map<string, Thing[]>();
  const etags = new Map<string, string>();
  const items = operations.flatMap(({ path }) => {
    const [, list, parameter] = /^(.+?)\/\{(\w+)\}/.exec(path) ?? [];
    return list === undefined || parameter === undefined ? [] : [{ list, parameter }];
  });
  const parameters = new Set(items.map(({ parameter }) => parameter));
  const parameterBelow = (path: string) => items.find(({ list }) => list === path)?.parameter;

  function add(name: string, thing: Thing): void {
    const things = known.get(name) ?? [];
    known.set(name, things);
    const same = things.findIndex(({ value }) => value === thing.value);
    if (same >= 0) return;
    things.push(thing);
    // What was there from the start is kept, or there would be nothing left that is in stock.
    const oldest = things.findIndex(({ made }) => made);
    if (things.length > 2 * kept && oldest >= 0) things.splice(oldest, 1);
  }

  function look(value: unknown, path: string, by: string | undefined): void {
    if (Array.isArray(value)) for (const one of value.slice(0, 50)) look(one, path, by);
    const fields = record.safeParse(value).data;
    if (!fields || Array.isArray(value)) return;
    for (const [name, field] of Object.entries(fields)) {
      const text = typeof field === 'string' && field.length > 0 ? field : undefined;
      const as = name === 'id' ? parameterBelow(path) : name;
      if (text === undefined) look(field, path, by);
      else if (name === 'nextCursor') add(`cursor of ${path}`, { value: text, by, made: true });
      else if (as !== undefined && parameters.has(as)) add(as, { value: text, by, made: false });
    }
  }

  return {
    /** Learns from a success. */
    learn(
      { path }: Operation,
      by: string | undefined,
      answer: { target: string; location: string | undefined; etag: string | undefined; body: unknown },
    ) {
      const { target, location, etag, body } = answer;
      if (etag !== undefined) etags.set(target, etag);
      for (const { list, parameter } of items) {
        const value = location?.startsWith(`${list}/`) ? location.slice(list.length + 1) : undefined;
        if (value !== undefined && !value.includes('/'))
          add(parameter, { value: decodeURIComponent(value), by, made: true });
      }
      look(body, path, by);
    },
    /** The ETag that was last seen of a target. */
    etagOf: (target: string) => etags.get(target),
    forget(name: string, value: string) {
      known.set(
        name,
        (known.get(name) ?? []).filter((thing) => thing.value !== value),
      );
    },
    /** One of them, or of those only that are fit; mostly a young one, which more can still happen to. */
    pick(name: string, draw: Draw, isFit: (thing: Thing) => boolean = () => true): Thing | undefined {
      const fit = (known.get(name) ?? []).filter(isFit);
      if (fit.length === 0) return undefined;
      return draw.of(draw.oneIn(2) ? fit : fit.slice(-10));
    },
  };
}
export type Things = ReturnType<typeof collectThings>;
