import { execFile, spawn } from 'node:child_process';
import { chmod, cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../tools/mesh/home.ts';

const exec = promisify(execFile);
let clone: string;

// As a new user has it: the files of the repository and nothing else, and a shell that knows none of our settings.
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|NODE|VITEST|TEST_|MAKE|MFLAGS|INIT_CWD)/.test(name)),
);
const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
const env = { ...clean, PATH: path.join(delimiter) };

beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), 'sidecart-clone-'));
  await chmod(clone, 0o711);
  const { stdout } = await exec('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
  });
  for (const file of stdout.split('\0').filter(Boolean)) await cp(join(repository, file), join(clone, file));
});
afterAll(async () => {
  await sh('make reset').catch(() => undefined);
  await rm(clone, { recursive: true, force: true });
});

/** Runs a line as somebody would type it; gives what it printed, and fails with it. */
function sh(line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', line], { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${line} ended with ${code}:\n${output}`));
    });
  });
}

/** The commands of the README's shell blocks, block by block; a line that ends in a backslash goes on. */
async function commands(): Promise<string[][]> {
  const text = await readFile(join(repository, 'README.md'), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) =>
    block
      .replace(/\\\n\s*/g, '')
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter(Boolean),
  );
}

describe('the README', () => {
  it('when its commands are typed one after another on this machine, each does what it says', async () => {
    const [start = [], more = [], order = [], ...others] = await commands();
    expect([start, more.at(-1), others]).toEqual([['make up', 'make test'], 'make down', []]);

    const up = await sh('make up');
    for (const word of ['placed', 'reserved', 'paid', 'shipped', 'make down', 'http://127.0.0.1:8080'])
      expect(up).toContain(word);
    const printed = new Map<string, string>();
    // `make test` is what runs this; it wants the mesh down.
    for (const line of [...more.slice(0, -1), ...order]) printed.set(line, await sh(line));
    expect(printed.get(more.find((line) => line.includes('/api/products/1')) ?? '')).toContain('Espresso Machine Lina');
    expect(printed.get(more.find((line) => line.includes('/api/orders/1')) ?? '')).toContain('"shipped"');
    expect(printed.get(order[0] ?? '')).toContain('"placed"');
    expect(printed.get('make audit')).toMatch(/I15/);
    expect(await sh('make db service=orders sql="select count(*) from orders"')).toMatch(/\d/);

    const again = Date.now();
    expect(await sh('make up')).toContain('http://127.0.0.1:8080');
    expect(Date.now() - again).toBeLessThan(60_000);
    await sh('make down');
    await expect(fetch('http://127.0.0.1:8080/')).rejects.toThrow();
  });

  it('when it names a file or folder, that is there', async () => {
    const text = await readFile(join(repository, 'README.md'), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target = '']) => target);
    expect(links.length).toBeGreaterThan(5);
    for (const link of links) await exec('test', ['-e', join(dirname(join(repository, 'README.md')), link)]);
  });
});
