import { readConfig } from '../_chassis/config.ts';
import { runService } from '../_chassis/service.ts';
import { buildApp } from './app.ts';
import { environment } from './config.ts';
import { usersContract } from './contract.ts';

const config = readConfig(environment);
await runService(usersContract, config, (deps) =>
  buildApp(deps, {
    publicUrl: config.PUBLIC_URL,
    invitationMs: config.USERS_INVITATION_MS,
    exportWaitMs: config.USERS_EXPORT_WAIT_MS,
    exportKeptMs: config.USERS_EXPORT_KEPT_MS,
    cache: {
      ttlMs: config.USERS_CACHE_TTL_MS,
      pauseMs: config.USERS_CACHE_PAUSE_MS,
      trustMs: config.USERS_CACHE_TRUST_MS,
      refreshIntervalMs: config.USERS_CACHE_REFRESH_INTERVAL_MS,
    },
  }),
);
