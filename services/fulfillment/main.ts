import { readConfig } from '../_chassis/config.ts';
import { runService } from '../_chassis/service.ts';
import { buildApp } from './app.ts';
import { environment } from './config.ts';
import { fulfillmentContract } from './contract.ts';

const config = readConfig(environment);
await runService(fulfillmentContract, config, (deps) =>
  buildApp(deps, { pickMs: config.FULFILLMENT_PICK_MS, packMs: config.FULFILLMENT_PACK_MS }),
);
