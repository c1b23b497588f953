import { z } from 'zod';
import { listenAddress, serviceEnvironment } from '../_chassis/config.ts';
import { isNetwork } from './limit-caller.ts';
import { quotaOf } from './limit-share.ts';
import type { Quotas } from './limit.ts';

/** Just as browsers send it: no path, no capitals, no default port, no wildcard. */
const isOrigin = (text: string): boolean =>
  /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;

const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').map((one) => one.trim()))
  .transform((ones) => ones.filter((one) => one !== ''));
const perSecond = z.coerce.number().min(0.01).max(1_000_000);
const burst = z.coerce.number().int().min(1).max(10_000_000);

/**
 * The gateway's environment: how long a request may take in all once it has been read, in milliseconds; whose pages may
 * read its answers, and which proxies are believed whom they speak for, with commas between; how much one caller may do,
 * in requests a second and at once; the name by which its answers say who served them, if any; at which address it listens, and
 * where over HTTPS, if at all, with which certificate (PEM files, by default the project's own for development).
 */
export const gatewayEnvironment = {
  ...serviceEnvironment,
  GATEWAY_DEADLINE_MS: z.coerce.number().int().min(100).max(9_000).default(2_500),
  GATEWAY_CORS_ORIGINS: list.pipe(z.array(z.string().refine(isOrigin, 'must be an origin like https://shop.example'))),
  GATEWAY_TRUSTED_PROXIES: list.pipe(
    z.array(z.string().refine(isNetwork, 'must be an address or a network like 10.0.0.0/8')),
  ),
  GATEWAY_READS_PER_SECOND: perSecond.default(200),
  GATEWAY_READS_BURST: burst.default(400),
  GATEWAY_WRITES_PER_SECOND: perSecond.default(50),
  GATEWAY_WRITES_BURST: burst.default(100),
  GATEWAY_ORDERS_PER_SECOND: perSecond.default(50),
  GATEWAY_ORDERS_BURST: burst.default(100),
  GATEWAY_SIGN_INS_PER_SECOND: perSecond.default(2),
  GATEWAY_SIGN_INS_BURST: burst.default(60),
  GATEWAY_NAME: z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .optional(),
  APP_ADDRESS: listenAddress,
  HTTPS_PORT: serviceEnvironment.APP_PORT.optional(),
  EDGE_CERTIFICATE_FILE: z.string().min(1).default('.data/edge/cert.pem'),
  EDGE_KEY_FILE: z.string().min(1).default('.data/edge/key.pem'),
};

type Rates = Readonly<
  Record<Extract<keyof typeof gatewayEnvironment, `GATEWAY_${string}_${'SECOND' | 'BURST'}`>, number>
>;

/** The limits of an environment. Who can't be counted with the other gateways may go on, but not try passwords. */
export const quotasOf = (rates: Rates): Quotas => ({
  read: quotaOf('read', rates.GATEWAY_READS_PER_SECOND, rates.GATEWAY_READS_BURST, 'alone'),
  write: quotaOf('write', rates.GATEWAY_WRITES_PER_SECOND, rates.GATEWAY_WRITES_BURST, 'alone'),
  order: quotaOf('order', rates.GATEWAY_ORDERS_PER_SECOND, rates.GATEWAY_ORDERS_BURST, 'alone'),
  'sign-in': quotaOf('sign-in', rates.GATEWAY_SIGN_INS_PER_SECOND, rates.GATEWAY_SIGN_INS_BURST, 'closed'),
});
