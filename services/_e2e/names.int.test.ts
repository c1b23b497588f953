import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newTokens } from '../../tools/mesh/pair.ts';
import { freePort, makeDaprdHome, startDaprd, type DaprdHome } from './daprd.ts';

let home: DaprdHome;
beforeAll(async () => {
  home = await makeDaprdHome({});
});
afterAll(() => home.remove());

it('when the file of names is locked for seconds while a sidecar starts, the sidecar has its name all the same', async () => {
  const names = new DatabaseSync(join(home.folder, '.data/nr.db'), { timeout: 10_000 });
  names.exec('begin exclusive'); // as another sidecar does that starts at the same time, on a disk that is slow
  const starting = startDaprd({
    ...{ home, appId: 'gateway', protocol: 'http', appPort: await freePort(), subscribes: false, components: {} },
    appToken: newTokens().APP_API_TOKEN,
    contract: { service: 'gateway', methods: {}, events: {} },
  });
  await delay(3_000);
  names.exec('commit');
  const daprd = await starting;
  expect(names.prepare('select app_id, address from hosts').all()).toEqual([
    { app_id: 'gateway', address: `127.0.0.1:${daprd.internalPort}` },
  ]);
  await daprd.stop();
  names.close();
});
