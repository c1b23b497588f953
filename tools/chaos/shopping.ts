import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClientLog } from '../audit/client-log.ts';
import { auditBooks } from './books.ts';
import { startLoad, type Load } from './load.ts';
import type { Project } from './project.ts';
import type { Ask, Shoppers } from './shoppers.ts';

/** People who shop while something is done to the mesh. */
export interface Shopping {
  readonly load: Load;
  /** Asks as one of them, and notes what is answered. */
  readonly ask: Ask;
  /** Once they have stopped: waits until all orders have ended, and audits the books and what people were told. */
  readonly audit: () => Promise<string[]>;
}

/** Lets ada and ben shop for as long as the work takes. */
export async function whilePeopleShop<T>(
  project: Project,
  shoppers: Shoppers,
  work: (shopping: Shopping) => Promise<T>,
): Promise<T> {
  const clientLog = join(tmpdir(), `sidecart-chaos-${process.pid}.jsonl`);
  await writeFile(clientLog, '', { mode: 0o644 });
  const log = openClientLog(clientLog);
  const [ada, ben] = [shoppers.as('ada', log), shoppers.as('ben', log)];
  const load = startLoad([ada, ben]);
  const audit = async () => {
    await load.stop();
    await log.written();
    return auditBooks(project, clientLog);
  };
  try {
    return await work({ load, ask: ada, audit });
  } finally {
    await load.stop();
    await log.close();
    await rm(clientLog, { force: true });
  }
}
