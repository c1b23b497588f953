import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { repository } from '../../tools/mesh/home.ts';
import { copyRepository } from '../../tools/mesh/throwaway-project.ts';

/** A copy of the project as a new user has it: the files of the repository and nothing else. */
export interface Clone {
  readonly folder: string;
  /** Runs a line as somebody would type it there; gives what it printed, and fails with it. */
  readonly sh: (line: string) => Promise<string>;
  /** Starts a line in a process group of its own, as a terminal does. */
  start(line: string): Running;
  /** The command lines of processes that run there. */
  processes(): Promise<string[]>;
  /** Stops what runs there and removes the copy. */
  remove(): Promise<void>;
}

/** A line that goes on until Ctrl-C. */
export interface Running {
  /** What it has printed. */
  output(): string;
  /** Undefined while it runs, then how it ended. */
  ended(): string | undefined;
  /** Resolves once it has ended. */
  interrupt(): Promise<void>;
}

// A shell that knows none of our settings.
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|NODE|VITEST|TEST_|MAKE|MFLAGS|INIT_CWD)/.test(name)),
);
const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
const env = { ...clean, PATH: path.join(delimiter) };

/** Copies the project; `packages` lends the copy the npm packages that are installed here. */
export async function makeClone({ packages = false } = {}): Promise<Clone> {
  const folder = await mkdtemp(join(tmpdir(), 'sidecart-clone-'));
  await chmod(folder, 0o711);
  await copyRepository(folder);
  if (packages) await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  const clone: Clone = {
    folder,
    sh: (line) =>
      new Promise((resolve, reject) => {
        const child = spawn('sh', ['-c', line], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
        let output = '';
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
        child.on('error', reject);
        child.on('close', (code) => {
          if (code === 0) resolve(output);
          else reject(new Error(`${line} ended with ${code}:\n${output}`));
        });
      }),
    start(line) {
      const child = spawn('sh', ['-c', line], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      let ended: string | undefined;
      const end = new Promise<void>((resolve) => {
        child.on('close', (code, signal) => {
          ended = `${signal ?? code}`;
          resolve();
        });
      });
      return {
        output: () => output,
        ended: () => ended,
        async interrupt() {
          if (ended === undefined && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
          await end;
        },
      };
    },
    async processes() {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      const commands = pids.map(async (pid) => {
        const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
        if (!cwd.startsWith(folder)) return [];
        return [(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => pid)).replaceAll('\0', ' ')];
      });
      return (await Promise.all(commands)).flat();
    },
    async remove() {
      await clone.sh('make reset').catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return clone;
}

/** The shell blocks of the README by chapter, each as its commands; a line that ends in a backslash goes on. */
export async function readmeCommands(): Promise<Map<string, string[][]>> {
  const text = await readFile(join(repository, 'README.md'), 'utf8');
  const chapters = text.split(/^## /m).map((chapter) => {
    const blocks = [...chapter.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) =>
      block
        .replace(/\\\n\s*/g, '')
        .split('\n')
        .map((line) => line.replace(/\s+#.*$/, '').trim())
        .filter(Boolean),
    );
    return [chapter.split('\n')[0] ?? '', blocks] as const;
  });
  return new Map(chapters.filter(([, blocks]) => blocks.length > 0));
}
