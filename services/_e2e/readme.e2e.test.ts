import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../tools/mesh/home.ts';
import { makeClone, readmeCommands, type Clone } from './clone.ts';

const exec = promisify(execFile);
let clone: Clone;
beforeAll(async () => {
  clone = await makeClone();
});
afterAll(() => clone.remove());

describe('the README', () => {
  it('when its commands are typed one after another on this machine, each does what it says', async () => {
    const { sh } = clone;
    const chapters = await readmeCommands();
    const [start = [], more = [], order = [], ...others] = chapters.get('Start') ?? [];
    expect([start, more.at(-1), others]).toEqual([['make up', 'make test'], 'make down', []]);
    // The others have tests of their own.
    expect([...chapters.keys()]).toEqual(['Start', 'In containers', 'Add a service']);

    const up = await sh('make up');
    for (const word of ['placed', 'reserved', 'paid', 'shipped', 'make down', 'http://127.0.0.1:8080'])
      expect(up).toContain(word);
    const printed = new Map<string, string>();
    // `make test` is what runs this; it wants the mesh down.
    for (const line of [...more.slice(0, -1), ...order]) printed.set(line, await sh(line));
    expect(printed.get(more.find((line) => line.includes('/api/products/1')) ?? '')).toContain('Espresso Machine Lina');
    expect(printed.get(more.find((line) => line.endsWith('/api/orders/1')) ?? '')).toContain('"shipped"');
    const streamed = printed.get(more.find((line) => line.endsWith('/api/orders/1/events')) ?? '');
    expect(streamed?.match(/^event: .*/gm)).toEqual(
      ['placed', 'reserved', 'paid', 'shipped'].map((s) => `event: ${s}`),
    );
    expect(printed.get(order.find((line) => line.startsWith('make people')) ?? '')).toContain('ada@example.com');
    expect(printed.get(order.at(-1) ?? '')).toContain('"placed"');
    expect(await (await fetch('http://127.0.0.1:8080/shop')).text()).toContain('<h1>Products</h1>');
    expect(await sh('make mail')).toContain('no mail');
    await expect(sh('make -s token user=ada role=admin')).rejects.toThrow('ada@example.com is customer, not admin');
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
