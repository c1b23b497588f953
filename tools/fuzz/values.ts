import type { Api, Schema } from './document.ts';
import type { Draw } from './draw.ts';
import { textMatching } from './pattern.ts';

/** Gives a value that somebody has seen for a field of this name, where there is one. */
export type Known = (name: string) => string | undefined;

/** What a schema cannot say: which texts mean something. */
const meaningful: Readonly<Record<string, readonly string[]>> = {
  paymentToken: ['tok_ok', 'tok_ok', 'tok_ok', 'tok_declined', 'tok_flaky', 'tok_lost', 'tok_slow'],
  query: ['lamp', 'a', 'Lina', 'é', '%', '_', '\\', "'", '"', 'ß', '漢'],
  category: ['home', 'kitchen', 'garden', 'audio'],
};
const words = [
  'a',
  'Lamp',
  'two words',
  "O'Neill",
  'Zoë',
  '漢字',
  '😀',
  'אבג',
  'e\u0301',
  '-1',
  'null',
  '<b>',
  '"quoted"',
  'a\u200bb',
];
const formats: Readonly<Record<string, (draw: Draw) => string>> = {
  email: (draw) => `fuzz-${draw.upTo(1e9)}@example.com`,
  uuid: (draw) => `00000000-0000-7000-8000-${String(draw.upTo(1e9)).padStart(12, '0')}`,
  uri: (draw) => `https://example.com/${draw.upTo(1e6)}`,
  'date-time': (draw) => new Date(draw.upTo(2e9) * 1_000).toISOString(),
  date: (draw) => new Date(draw.upTo(2e9) * 1_000).toISOString().slice(0, 10),
};

/** A value that a schema allows; `name` is the field's. */
export function valueOf(api: Api, from: unknown, draw: Draw, known: Known, name = ''): unknown {
  const schema = merged(api, api.resolve(from), draw);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return draw.of(schema.enum);
  const type = draw.of([schema.type ?? (schema.properties ? 'object' : 'string')].flat());
  switch (type) {
    case 'null':
      return null;
    case 'boolean':
      return draw.oneIn(2);
    case 'integer':
      return numberOf(schema, draw);
    case 'number':
      return draw.oneIn(2) ? numberOf(schema, draw) : numberOf(schema, draw) + 0.5;
    case 'array':
      return listOf(api, schema, draw, known);
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([key]) => schema.required?.includes(key) === true || draw.oneIn(2))
          .map(([key, one]) => [key, valueOf(api, one, draw, known, key)]),
      );
    default:
      return textOf(schema, draw, known, name);
  }
}

function merged(api: Api, schema: Schema, draw: Draw): Schema {
  const chosen = schema.oneOf ?? schema.anyOf;
  const parts = [...(schema.allOf ?? []), ...(chosen ? [draw.of(chosen)] : [])];
  return parts.reduce<Schema>((whole, part) => {
    const one = merged(api, api.resolve(part), draw);
    const properties = { ...whole.properties, ...one.properties };
    const required = [...(whole.required ?? []), ...(one.required ?? [])];
    return { ...whole, ...one, ...(Object.keys(properties).length > 0 && { properties, required }) };
  }, schema);
}

/** The least and the most that a schema of whole numbers allows. */
export function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): [number, number] {
  const least = minimum ?? (exclusiveMinimum === undefined ? Number.MIN_SAFE_INTEGER : exclusiveMinimum + 1);
  const most = maximum ?? (exclusiveMaximum === undefined ? Number.MAX_SAFE_INTEGER : exclusiveMaximum - 1);
  return [least, most];
}

// Mostly small, because that is what succeeds; sometimes at a bound.
function numberOf(schema: Schema, draw: Draw): number {
  const [least, most] = boundsOf(schema);
  const within = (n: number) => Math.min(most, Math.max(least, n));
  return draw.of([() => within(draw.upTo(10)), () => within(1 + draw.upTo(3)), () => draw.of([least, most])])();
}

function listOf(api: Api, { items, minItems = 0, maxItems }: Schema, draw: Draw, known: Known): unknown[] {
  const most = Math.min(maxItems ?? 5, minItems + 4);
  const wanted = draw.oneIn(30) ? (maxItems ?? most) : minItems + draw.upTo(most - minItems + 1);
  const seen = new Set<string>();
  // Few lists may name a thing twice.
  return Array.from({ length: wanted }, () => valueOf(api, items, draw, known)).filter((value) => {
    const ids = Object.entries(value ?? {}).filter(([name]) => name.endsWith('Id'));
    const text = ids.length > 0 ? JSON.stringify(ids) : JSON.stringify(value);
    return !seen.has(text) && seen.add(text);
  });
}

function textOf(schema: Schema, draw: Draw, known: Known, name: string): string {
  const { pattern, format, minLength = 0, maxLength = 200 } = schema;
  const fits = (text: string) => text.length >= minLength && text.length <= maxLength;
  const seen = draw.oneIn(200) ? undefined : known(name);
  if (seen !== undefined) return seen;
  const meant = meaningful[name];
  if (meant && !draw.oneIn(4)) return draw.of(meant);
  const make = format === undefined ? undefined : formats[format];
  if (make) return make(draw);
  for (let tries = 0; tries < 100; tries += 1) {
    const text = pattern === undefined ? plainText(draw, minLength, maxLength) : textMatching(pattern, draw);
    if (fits(text)) return text;
  }
  throw new Error(`no text was found for ${name}: ${JSON.stringify(schema)}`);
}

function plainText(draw: Draw, minLength: number, maxLength: number): string {
  if (draw.oneIn(10)) return 'x'.repeat(maxLength);
  const text = draw.of(words).slice(0, maxLength);
  return text.isWellFormed() ? text.padEnd(minLength, 'x') : 'x'.repeat(minLength);
}
