import { z } from 'zod';
import { readConfig, serviceEnvironment } from '../../../services/_chassis/config.ts';
import { createMetrics } from '../../../services/_chassis/metrics.ts';
import { startOps } from '../../../services/_chassis/ops.ts';

/** What a bench's app is told: what every app beside a sidecar is told, and what its bench adds. */
export const environment = readConfig({
  ...serviceEnvironment,
  /** Which arm this process is. */
  BENCH_ARM: z.string().default(''),
  /** Whom it calls without a sidecar. */
  BENCH_TARGET_PORT: z.coerce.number().int().default(0),
  BENCH_TOKEN: z.string().default(''),
  BENCH_VERIFICATION_KEYS: z.string().default(''),
});

/** Tells whoever started this app that it listens. */
export const tellReady = () =>
  startOps({ port: environment.OPS_PORT, checks: () => ({}), metrics: createMetrics(environment.APP_ID) });
