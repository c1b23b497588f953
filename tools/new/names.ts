import { UserError } from '../mesh/user-error.ts';

/** A new service's name, and what one of the things in it is called; both in kebab-case. */
export interface Names {
  readonly service: string;
  readonly one: string;
}

// What the template is called. Two words, so that each way of writing a name can be told from the others.
const template: Names = { service: 'field-notes', one: 'field-note' };

const kebabCase = /^[a-z]+(-[a-z]+)*$/;
const longest = 40;

// A table would need quotes (PostgreSQL, appendix C), or the name is another part's of the mesh.
const reserved = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
   concurrently constraint create cross default deferrable desc distinct do else end except false fetch for foreign freeze
   from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
   localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
   returning right select similar some symmetric system table tablesample then to trailing true union unique user using
   variadic verbose when where window with
   mesh postgres redis`.split(/\s+/),
);

/** The names of a new service; fails with a sentence where the name cannot be a service's. */
export function namesOf(service: string, one = singularOf(service)): Names {
  for (const name of [service, one]) {
    if (!kebabCase.test(name) || name.length > longest)
      throw new UserError(
        `${JSON.stringify(name)} is not a name: small letters, words joined by "-", ${longest} at most`,
      );
  }
  if (reserved.has(service))
    throw new UserError(`${service} is taken: it means something to PostgreSQL or to the mesh`);
  return { service, one };
}

/** One of many, as English usually has it: `reviews` → `review`, `gift-cards` → `gift-card`, `search` → `search`. */
export function singularOf(plural: string): string {
  if (/[^aeiou]ies$/.test(plural)) return plural.replace(/ies$/, 'y');
  if (/(ss|sh|ch|x|z)es$/.test(plural)) return plural.replace(/es$/, '');
  return /[^suia]s$|[^s]as$/.test(plural) ? plural.replace(/s$/, '') : plural;
}

const upperFirst = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Every way a name is written: in URNs and files, identifiers, types, SQL and sentences. */
function formsOf(name: string): string[] {
  const words = name.split('-');
  const pascal = words.map(upperFirst).join('');
  const prose = words.join(' ');
  const camel = pascal.charAt(0).toLowerCase() + pascal.slice(1);
  return [name, camel, pascal, words.join('_'), prose, upperFirst(prose)];
}

/** A text of the template, or a file's name, with its names replaced. */
export function renamed(text: string, names: Names): string {
  // The plural first: it has the singular in it.
  for (const which of ['service', 'one'] as const) {
    const wanted = formsOf(names[which]);
    for (const [index, form] of formsOf(template[which]).entries()) text = text.replaceAll(form, wanted[index] ?? form);
  }
  return text;
}
