import { withShop, type Drill, type Figures } from './drill.ts';
import { patient, restartAll, twoOfEach } from './replicas.ts';
import { startLoad } from './steady-load.ts';

const sizes = { share: { rounds: 5, requests: 1_000 }, whole: { rounds: 20, requests: 20_000 } };
const perSecond = 50;

/** Every app and sidecar of two of each service is restarted in order, round after round, under a steady load. */
export const rolling: Drill = {
  name: 'rolling',
  proves: 'While every app and every sidecar is restarted, one pair after another, no request fails.',
  run(size, deps) {
    const wanted = sizes[size];
    return withShop(deps, { replicas: twoOfEach, env: patient }, async (shop) => {
      const load = startLoad({ ada: shop.as('ada'), ben: shop.as('ben'), staff: shop.as('staff') }, perSecond);
      const rounds: Figures[] = [];
      let restarts = 0;
      for (let round = 1; round <= wanted.rounds || load.requests.length < wanted.requests; round += 1) {
        deps.report(`round ${round} of ${wanted.rounds}, ${load.requests.length} requests`);
        const [from, started] = [load.requests.length, Date.now()];
        restarts += (await restartAll(shop.mesh)).length;
        const seen = load.requests.slice(from);
        const slowestMs = Math.round(Math.max(...seen.map(({ dueAt, endedAt }) => endedAt - dueAt)));
        const seconds = Math.round((Date.now() - started) / 1_000);
        const failed = seen.filter(({ failure }) => failure !== undefined).length;
        rounds.push({ round, requests: seen.length, failed, slowestMs, seconds });
      }
      await load.stop();
      deps.report('waiting for the end and auditing');
      const failed = load.requests.filter(({ failure }) => failure !== undefined);
      return {
        figures: { rounds: rounds.length, restarts, requests: load.requests.length, perSecond, failed: failed.length },
        rounds,
        violations: [...failed.map(({ what, failure }) => `${what}: ${failure}`), ...(await shop.audit())],
      };
    });
  },
};
