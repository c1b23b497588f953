import { realTables, type Tables } from './world.ts';

/** The tables with something taken out of them. */
export interface Mutation {
  readonly name: string;
  readonly tables: Tables;
}

/** Row and effects are strings in some tables, counts in another, objects of effects in most. */
type Row = string | number | object;
type Rows = Readonly<Record<string, Readonly<Record<string, Row | undefined>>>>;

/** Gives the tables with one row replaced. */
export function withRow<Machine extends keyof Tables, State extends keyof Tables[Machine] & string>(
  machine: Machine,
  state: State,
  row: Partial<Tables[Machine][State]>,
  tables: Tables = realTables,
): Tables {
  return { ...tables, [machine]: { ...tables[machine], [state]: { ...tables[machine][state], ...row } } };
}

/** Gives, for each effect of each table, a copy of the tables without it. */
export function mutations(): Mutation[] {
  return Object.entries(realTables).flatMap(([machine, table]) => withoutEffects(machine, table));
}

function withoutEffects(machine: string, table: Rows): Mutation[] {
  return Object.entries(table).flatMap(([state, inputs]) =>
    Object.entries(inputs).flatMap(([input, row]) =>
      [...lesser(machine, row)].map(([effect, less]) => ({
        name: `${machine}: ${state} + ${input} without ${effect}`,
        tables: { ...realTables, [machine]: { ...table, [state]: { ...inputs, [input]: less } } },
      })),
    ),
  );
}

/** Gives each effect of a row, and the row without it; `unchanged` and `refused` have none. */
function* lesser(machine: string, row: Row | undefined): Iterable<[effect: string, row: Row]> {
  if (typeof row === 'string' && machine === 'tries') yield [row, 'unknown'];
  if (typeof row === 'number') yield [String(row), 0];
  if (typeof row !== 'object') return;
  for (const [key, value] of Object.entries(row) as [string, unknown][]) {
    if (Array.isArray(value)) {
      for (const item of value) yield [String(item), { ...row, [key]: value.filter((other) => other !== item) }];
    } else {
      yield [`${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`, { ...row, [key]: undefined }];
    }
  }
}
