import { execFileSync } from 'node:child_process';
import { availableParallelism, release, totalmem } from 'node:os';
import { z } from 'zod';
import { repository } from './mesh/home.ts';

/** The working tree that a record is about: what it was at, and whether anything in it differed from that. */
export const tree = z.strictObject({ commit: z.string(), dirty: z.boolean() });

/** The machine that a record was made on. */
export const machine = z.strictObject({ cores: z.number(), memoryGiB: z.number(), kernel: z.string() });

const git = (...args: string[]) => execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim();

/** This working tree as it is now; records are what runs leave behind, not what is run, so `docs` may differ. */
export const readTree = (): z.infer<typeof tree> => ({
  commit: git('rev-parse', 'HEAD'),
  dirty: git('status', '--porcelain', '--', '.', ':!docs') !== '',
});

/** This machine. */
export const readMachine = (): z.infer<typeof machine> => ({
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
});
