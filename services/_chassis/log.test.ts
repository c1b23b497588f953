import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { withoutSecrets } from './log.ts';

const run = promisify(execFile);

describe('a line of the log', () => {
  it('when the process ends at once, it is written all the same, with what every line has', async () => {
    const script = `
      import { createLog } from '${new URL('./log.ts', import.meta.url).href}';
      createLog('products', 'info').info({ count: 1 }, 'done');
      process.exit(3);`;
    const ended = await run(process.execPath, ['--input-type=module', '-e', script]).catch((error: unknown) => error);
    expect(ended).toMatchObject({ code: 3 });
    const { stdout } = ended as { stdout: string };
    expect(JSON.parse(stdout)).toMatchObject({ level: 'info', service: 'products', count: 1, msg: 'done' });
  });

  it('when somebody hands it a secret all the same, it is not in it', () => {
    const failure = Object.assign(new Error('no'), { token: 't' });
    const request = { password: 'p', headers: { authorization: 'Bearer x', accept: '*/*' } };
    expect(withoutSecrets({ token: 't', request, failure, list: ['token'] })).toEqual({
      token: '[Redacted]',
      request: { password: '[Redacted]', headers: { authorization: '[Redacted]', accept: '*/*' } },
      failure,
      list: ['token'],
    });
  });
});
