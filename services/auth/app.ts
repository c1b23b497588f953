import { eventLogOf } from '../_chassis/client.ts';
import type { App, ServiceDeps } from '../_chassis/service.ts';
import { startWorker } from '../_chassis/worker.ts';
import { usersContract } from '../users/contract.ts';
import { accountPages } from './account-pages.ts';
import { subscriptions } from './events.ts';
import { createExchange } from './exchange.ts';
import { createKeys } from './keys.ts';
import { createLockout } from './lockout.ts';
import { createMails } from './mails.ts';
import { methods } from './methods.ts';
import { ownPages } from './own-pages.ts';
import { createPasswords } from './passwords.ts';
import { createProviders } from './provider.ts';
import { createSealing } from './sealing.ts';
import { signInPage } from './sign-in.ts';
import { clearExpired } from './store-keys.ts';
import { createTokenEndpoints } from './token-endpoints.ts';

/** The public URL, the secrets, how keys turn (milliseconds), and how many passwords may wait. */
export interface Settings {
  readonly publicUrl: string;
  readonly sealingKey: string;
  readonly cookieKey: string;
  readonly rotationMs: number;
  readonly leadMs: number;
  readonly passwordQueue: number;
}

// An access token's ten minutes, and a minute for clocks and for a replica with an older view.
const keepMs = 660_000;

/** Auth as a function of what it stands on. */
export function buildApp({ database, log, connect }: ServiceDeps, settings: Settings): App {
  const { publicUrl, cookieKey, rotationMs, leadMs } = settings;
  const sealing = createSealing(settings.sealingKey);
  const times = { rotationMs, leadMs, keepMs };
  const keys = createKeys({ database, sealing, times, cacheMs: Math.min(5_000, leadMs / 4) });
  const mails = createMails(publicUrl);
  const lockout = createLockout(database, createSealing(cookieKey));
  const pageDeps = { database, passwords: createPasswords(settings.passwordQueue), lockout, mails };
  const signIn = signInPage(pageDeps);
  const pages = new Map(Object.entries({ ...accountPages(pageDeps), ...ownPages(pageDeps) }));
  const exchangeHttp = createExchange({
    database,
    sealing,
    publicUrl,
    provider: createProviders({ publicUrl, cookieKey, sealing, keys, log }),
    page: (path) => (path.startsWith('/sign-in/') ? signIn : pages.get(path)),
    shortcut: createTokenEndpoints({ database, keys, publicUrl }),
  });
  return {
    listTokenKeys: async () => (await keys.current()).published,
    methods: methods({ database, keys, exchangeHttp }),
    subscriptions: subscriptions(mails),
    eventLogs: () => ({ users: eventLogOf('users', connect(usersContract)) }),
    startWorkers: () => [
      startWorker({
        name: 'keys',
        idleMs: Math.min(60_000, leadMs / 4),
        log,
        async run() {
          await keys.turn();
          await clearExpired(database);
          return false;
        },
      }),
    ],
  };
}
