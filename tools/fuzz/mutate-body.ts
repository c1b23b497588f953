import type { Api, Schema } from './document.ts';
import type { Draw } from './draw.ts';
import type { Mutation } from './mutation.ts';
import { oddNames, oddValues, unmark } from './odd-values.ts';
import { bytesOf, textOf } from './request.ts';
import { boundsOf } from './values.ts';

type Path = readonly (string | number)[];
interface Place {
  readonly path: Path;
  readonly value: unknown;
  readonly schema: Schema;
}

function* placesIn(api: Api, value: unknown, from: unknown, path: Path = []): Generator<Place> {
  const schema = api.resolve(from);
  yield { path, value, schema };
  if (Array.isArray(value)) {
    for (const [index, one] of value.slice(0, 5).entries()) yield* placesIn(api, one, schema.items, [...path, index]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, one] of Object.entries(value))
      yield* placesIn(api, one, schema.properties?.[name], [...path, name]);
  }
}

/** A copy in which what was at the path is what `change` makes of it; undefined takes it away. */
function changed(value: unknown, [first, ...rest]: Path, change: (old: unknown) => unknown): unknown {
  if (first === undefined) return change(value);
  if (Array.isArray(value))
    return value.map((one, index) => (index === first ? changed(one, rest, change) : (one as unknown)));
  return Object.fromEntries(
    Object.entries(value ?? {}).flatMap(([name, one]) => {
      const after = name === first ? changed(one, rest, change) : (one as unknown);
      return after === undefined ? [] : [[name, after]];
    }),
  );
}

/** A mutation of one place of the body's value; what the document then says of the whole decides whether it must be refused. */
const inBody = (
  name: string,
  change: (place: Place, draw: Draw) => ((old: unknown) => unknown) | undefined,
): Mutation => ({
  name: `body: ${name}`,
  apply(draft, draw, { api }) {
    const { body } = draft;
    if (!body) return undefined;
    const places = [...placesIn(api, body.value, body.schema)];
    const place = draw.of(places);
    const make = change(place, draw);
    if (!make) return undefined;
    const value = changed(body.value, place.path, make);
    draft.body = { ...body, value, text: unmark(textOf(body.type, value)) };
    return 'any';
  },
});

const inValue: Mutation[] = [
  inBody('an odd value', (_, draw) => {
    const odd = draw.of(oddValues);
    return () => odd;
  }),
  inBody('a value in a list', () => (old) => [old]),
  inBody('a value in an object', () => (old) => ({ value: old })),
  inBody('a number as text', ({ value }) => (typeof value === 'number' ? String : undefined)),
  inBody('beside a bound', ({ schema, value }, draw) => {
    if (typeof value === 'number') {
      const [least, most] = boundsOf(schema);
      const odd = draw.of([least - 1, least, most, most + 1, least - 0.5, most + 0.5, -least, -most]);
      return () => odd;
    }
    if (typeof value === 'string') {
      const { minLength = 1, maxLength = 120 } = schema;
      const length = draw.of([minLength - 1, minLength, maxLength, maxLength + 1, 200, 201, 121]);
      const char = draw.of(['x', '😀', '漢']);
      return () => char.repeat(Math.max(0, length));
    }
    if (!Array.isArray(value)) return undefined;
    const { minItems = 0, maxItems = 100 } = schema;
    const length = draw.of([minItems - 1, minItems, maxItems, maxItems + 1, 2_001]);
    return () => Array.from({ length: Math.max(0, length) }, () => value[0] as unknown);
  }),
  inBody('almost right text', ({ value }, draw) => {
    if (typeof value !== 'string') return undefined;
    const after = draw.of([
      `${value}\n`,
      ` ${value}`,
      `${value} `,
      value.toUpperCase(),
      `${value}\0`,
      `${value}\u200b`,
      `\ufeff${value}`,
      `${value}\u202e`,
    ]);
    return () => after;
  }),
  inBody('a field taken away', ({ path }) => (path.length > 0 ? () => undefined : undefined)),
];

/** An unknown field is a refusal, whatever the schema says of it; but where any name may be, only what the schema does not allow. */
const unknownField: Mutation = {
  name: 'body: an unknown field',
  apply(draft, draw, { api }) {
    const { body } = draft;
    if (!body) return undefined;
    const objects = [...placesIn(api, body.value, body.schema)].filter(
      ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
    );
    if (objects.length === 0) return undefined;
    const { path, schema } = draw.of(objects);
    const name = draw.of(oddNames.filter((one) => !Object.hasOwn(schema.properties ?? {}, one)));
    const value = draw.of([1, '', null, {}, [], true]);
    const written = changed(body.value, path, (old) => ({ ...(old as object), ['@name']: value }));
    draft.body = { ...body, text: textOf(body.type, written).replace('"@name"', () => bytesOf(JSON.stringify(name))) };
    return body.type === 'application/json' && typeof schema['additionalProperties'] !== 'object' ? 'refused' : 'any';
  },
};

/** The value that a body holds. */
export const bodyMutations: readonly Mutation[] = [...inValue, unknownField];
