import { beforeAll, describe, expect, it } from 'vitest';
import { DependencyError } from '../_chassis/errors.ts';
import { startTwoApps, type TwoApps } from './two-apps.ts';

let two: TwoApps;
beforeAll(async () => {
  two = await startTwoApps({ aSecret: 'of ours' });
  return () => two.close();
});

describe('a sidecar that its app has leave', () => {
  it('when calls are in flight, they are answered before it is gone, and then nobody finds it', async () => {
    const { http, grpc } = two.apps;
    const client = grpc.clientOf('http');
    let answered = 0;
    const slow = client.getThing({ thingId: 'slow' }).then(({ kind }) => {
      answered += 1;
      return kind;
    });
    // So that the slow one, sent before on the same way, has surely arrived.
    await client.getThing({ thingId: 'quick' });
    await http.daprd.sidecar.leave();
    expect(answered).toBe(1);
    expect(await slow).toBe('found');
    await expect(client.getThing({ thingId: 'quick' })).rejects.toThrow(DependencyError);
    // Nothing to tell, and no failure, where it is gone already.
    await http.daprd.sidecar.leave();
  });
});
