import { z } from 'zod';
import { serviceEnvironment } from '../_chassis/config.ts';

/** The gateway's environment: how long a request may take in all once it has been read, in milliseconds. */
export const gatewayEnvironment = {
  ...serviceEnvironment,
  GATEWAY_DEADLINE_MS: z.coerce.number().int().min(100).max(9_000).default(2_500),
};
