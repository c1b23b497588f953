import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const module = join(import.meta.dirname, 'starter.ts');

describe('tellStarter', () => {
  it('when the starter has left and that has not been read yet, lets the process go on', async () => {
    // It reads nothing while it waits for the end of its standard input, which comes once the starter has closed his end.
    const program = `
      import { readFileSync } from 'node:fs';
      import { tellStarter } from ${JSON.stringify(module)};
      await tellStarter({ kind: 'ready' });
      readFileSync(0);
      if (!process.connected) throw new Error('the starter was seen to leave');
      await tellStarter({ kind: 'ready' });
      await tellStarter({ kind: 'failed', message: 'late' });
      process.exitCode = 7;
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    });
    expect(await once(child, 'message')).toEqual([{ kind: 'ready' }, undefined]);
    child.disconnect();
    await once(child, 'disconnect');
    child.stdin?.end();
    expect(await once(child, 'exit')).toEqual([7, null]);
  });
});
