import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { repository } from '../mesh/home.ts';
import { machine, tree } from '../surroundings.ts';
import { faultNames } from './faults.ts';
import { tally } from './seen.ts';

/** What came of one fault on one container. */
const cell = z.strictObject({
  service: z.string(),
  kind: z.enum(['edge', 'pod', 'app', 'sidecar', 'bank', 'postgres', 'redis', 'sentry']),
  fault: z.enum(faultNames),
  /** Orders that were on their way when it struck. */
  unfinished: z.number(),
  /** From its end until all was served again; null when that did not come within the limit. */
  seconds: z.number().nullable(),
  /** What people saw, from the strike until then. */
  saw: z.strictObject({ browse: tally, checkout: tally, orders: tally }),
  /** Requests that were due and not sent, because too many were unanswered. */
  heldBack: z.number(),
  /** What was answered while it was gone. */
  probed: z.array(z.strictObject({ asked: z.string(), stated: z.string(), was: z.string(), seconds: z.number() })),
  /** What the audit found wrong, one line each. */
  audit: z.array(z.string()),
  /** What else was not as stated. */
  problems: z.array(z.string()),
});
export type Cell = z.infer<typeof cell>;

/** Whether a cell holds: served again in time, as stated meanwhile, the books clean. */
export const holds = ({ seconds, audit, problems }: Cell): boolean =>
  seconds !== null && audit.length === 0 && problems.length === 0;

/** A cell with when, on what tree and on what machine it was measured. */
const measured = cell.extend({
  at: z.iso.datetime(),
  ...tree.shape,
  machine: machine.extend({ node: z.string(), engine: z.string() }),
});
export type MeasuredCell = z.infer<typeof measured>;

const record = z.strictObject({ cells: z.array(measured) });
export type ChaosRecord = z.infer<typeof record>;

const file = join(repository, 'docs', 'records', 'containers', 'chaos.json');

/** The record that is kept; empty where there is none. */
export async function readRecord(): Promise<ChaosRecord> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? { cells: [] } : record.parse(JSON.parse(text));
}

const keyOf = ({ service, fault }: Cell) => `${service} ${faultNames.indexOf(fault)}`;

/** The record with these cells in place of those of the same container and fault; in an order that stays. */
export function merged({ cells }: ChaosRecord, newer: readonly MeasuredCell[]): ChaosRecord {
  const all = new Map([...cells, ...newer].map((one) => [keyOf(one), one]));
  return { cells: [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one) };
}

/** A record as text, a line for each cell. */
export const formatRecord = ({ cells }: ChaosRecord): string =>
  cells.length === 0
    ? '{ "cells": [] }\n'
    : `{\n  "cells": [\n${cells.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]\n}\n`;

/** Writes these cells into the record. */
export async function keep(newer: readonly MeasuredCell[]): Promise<ChaosRecord> {
  const after = merged(await readRecord(), newer);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, formatRecord(after));
  return after;
}
