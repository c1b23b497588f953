import { readConfig } from '../_chassis/config.ts';
import { runService } from '../_chassis/service.ts';
import { buildApp } from './app.ts';
import { environment } from './config.ts';
import { authContract } from './contract.ts';

const config = readConfig(environment);
await runService(authContract, config, async (deps) =>
  buildApp(deps, {
    publicUrl: config.PUBLIC_URL,
    sealingKey: await deps.sidecar.getSecret('authSealingKey'),
    cookieKey: await deps.sidecar.getSecret('authCookieKey'),
    rotationMs: config.AUTH_KEY_ROTATION_MS,
    leadMs: config.AUTH_KEY_LEAD_MS,
    passwordQueue: config.AUTH_PASSWORD_QUEUE,
  }),
);
