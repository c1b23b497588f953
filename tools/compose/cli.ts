// The mesh in containers, with words: node tools/compose/cli.ts up | down | reset | logs [service=orders] [follow=0]
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../mesh/home.ts';
import { UserError } from '../mesh/user-error.ts';
import { ensureEngine } from './engine.ts';
import { composeMesh } from './project.ts';
import { scaleName } from './scaling.ts';

const [command = '', ...rest] = process.argv.slice(2);
const values = new Map(rest.map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
const show = { show: true };

const ready = (publicUrl: string) => `
The mesh is healthy: ${publicUrl}/shop
  docker compose run --rm cli people             who is there from the start, and their password
  docker compose run --rm cli token user=ada     an access token
  docker compose run --rm cli audit              is anything lost?
  make compose-logs service=orders               what a service says
  make compose-scale service=products n=3        more of it
  make compose-down                              stop; the data stays (make compose-reset drops it)`;

const commands: Readonly<Record<string, () => Promise<unknown>>> = {
  async up() {
    await composeMesh(['up', '-d', '--wait', '--build'], show).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(
        'the mesh did not come up; what Compose said is above. docs/TROUBLESHOOTING.md has what is known to happen; where no image can be pulled, scripts/offline-images.sh builds stand-ins',
      );
    });
    console.log(ready(process.env['PUBLIC_URL'] ?? 'http://127.0.0.1:8080'));
  },
  down: () => composeMesh(['down'], show),
  async reset() {
    await composeMesh(['down', '--volumes', '--remove-orphans'], show);
    await rm(join(repository, scaleName), { force: true });
  },
  logs() {
    const follow = values.get('follow') === '0' ? [] : ['--follow'];
    return composeMesh(
      ['logs', ...follow, '--tail', '200', ...(values.get('service') || '').split(',').filter(Boolean)],
      show,
    );
  },
};

try {
  const run = commands[command];
  if (!run) throw new UserError(`say one of ${Object.keys(commands).join(', ')}`);
  await ensureEngine();
  await run();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
