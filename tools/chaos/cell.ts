import { setTimeout as delay } from 'node:timers/promises';
import { isAsStated, probe, type Probed } from './degraded.ts';
import { faults, holdMs, mend, untilWhole, type FaultName } from './faults.ts';
import type { Load } from './load.ts';
import type { Member, Project } from './project.ts';
import { limits, untilServed } from './recovery.ts';
import type { Cell } from './record.ts';
import type { Ask, Shoppers } from './shoppers.ts';
import { whilePeopleShop } from './shopping.ts';

/** How many orders are on their way, at least, when a fault strikes. */
const unfinishedAtLeast = 10;
/** After how long a mesh that serves has to be whole: a container's health is looked at every few seconds. */
const wholeMs = 90_000;
// Before, a client may meet what is just breaking.
const probedAfterMs = [2_000, 6_000];

/** What a cell is run with. */
export interface CellDeps {
  readonly project: Project;
  readonly shoppers: Shoppers;
  /** Takes back what a fault has done, for who interrupts a run; replaced by each cell. */
  readonly undo: { current?: (() => Promise<void>) | undefined };
  readonly report: (text: string) => void;
}

/** Lets one fault strike one container while people shop, and gives what came of it. */
export const runCell = (deps: CellDeps, member: Member, fault: FaultName): Promise<Cell> =>
  whilePeopleShop(deps.project, deps.shoppers, async ({ load, ask, audit }) => {
    const struck = await strikeAndRecover(deps, { member, fault, load, ask });
    await load.stop();
    deps.report('auditing');
    const ill = await untilWhole(deps.project, wholeMs);
    // What was left behind would be laid at the next fault's door.
    if (ill.length > 0) {
      await mend(deps.project);
      await untilWhole(deps.project, wholeMs);
    }
    const violations = await audit();
    const problems = [
      ...struck.lacking.map((what) => `not served within ${limits[member.kind]} s: ${what}`),
      ...struck.probed
        .filter((one) => !isAsStated(one))
        .map(({ asked, stated, was }) => `while it was gone, ${asked}: ${was}, not ${stated}`),
      ...ill.map((line) => `not whole again: ${line}`),
    ];
    const { unfinished, seconds, saw, probed } = struck;
    return {
      ...{ service: member.service, kind: member.kind, fault, unfinished, seconds: seconds ?? null, saw },
      ...{ heldBack: load.heldBack, probed, audit: violations, problems },
    };
  });

async function strikeAndRecover(
  { project, shoppers, undo, report }: CellDeps,
  { member, fault: name, load, ask }: { member: Member; fault: FaultName; load: Load; ask: Ask },
) {
  const fault = faults[name];
  report('placing orders');
  const unfinished = await load.rush(unfinishedAtLeast);
  load.seen.take();
  report(name);
  const { strike, takeBack } = await fault.prepare(project, member);
  undo.current = takeBack;
  let since = performance.now();
  await strike();
  const probed: Probed[] = [];
  if (fault.lasts && takeBack) {
    const struck = performance.now();
    const until = (ms: number) => delay(Math.max(0, struck + ms - performance.now()));
    for (const ms of fault.lasts === 'down' ? probedAfterMs : []) {
      await until(ms);
      probed.push(...(await probe(ask, member.service)));
    }
    await until(holdMs);
    since = performance.now();
    await takeBack();
  }
  undo.current = undefined;
  report('recovering');
  const limitSeconds = limits[member.kind];
  const { seconds, lacking } = await untilServed(ask, shoppers.signInAnew, { since, limitSeconds });
  return { unfinished, seconds, lacking, probed, saw: load.seen.take() };
}
