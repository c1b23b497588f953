import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { catchUpEnvironment, databaseEnvironment, readConfig, serviceEnvironment } from './config.ts';

const shape = { ...serviceEnvironment, ...databaseEnvironment, ...catchUpEnvironment };
const good = {
  APP_ID: 'things',
  APP_PORT: '8080',
  OPS_PORT: '6580',
  DAPR_HTTP_PORT: '3580',
  DAPR_GRPC_PORT: '4580',
  DAPR_API_TOKEN: 'one',
  APP_API_TOKEN: 'two',
  DATABASE_PORT: '15432',
};

describe('readConfig', () => {
  it('when only what has no default is given, the rest has its default', () => {
    expect(readConfig(shape, { ...good, HOME: '/root' })).toEqual({
      ...good,
      APP_PORT: 8080,
      OPS_PORT: 6580,
      DAPR_HTTP_PORT: 3580,
      DAPR_GRPC_PORT: 4580,
      PUBLIC_URL: 'http://127.0.0.1:8080',
      LOG_LEVEL: 'info',
      OPS_ADDRESS: '127.0.0.1',
      DATABASE_HOST: '127.0.0.1',
      DATABASE_PORT: 15_432,
      DATABASE_POOL_SIZE: 5,
      CATCH_UP_INTERVAL_MS: 2_000,
      CATCH_UP_GRACE_MS: 1_500,
    });
  });

  it('when variables are bad, each is named, and no value is shown', () => {
    const bad = {
      ...good,
      APP_ID: '',
      APP_PORT: '70000',
      OPS_PORT: 'hunter2',
      DATABASE_POOL_SIZE: '2.5',
      LOG_LEVEL: 'hunter2',
      SECRET_PATTERN: 'hunter2',
    };
    const more = { ...shape, SECRET_PATTERN: z.string().regex(/^[A-Z]+$/), MISSING: z.string() };
    const thrown = () => readConfig(more, { ...bad, DAPR_API_TOKEN: undefined, APP_API_TOKEN: '' });
    const wrong = ['APP_ID', 'APP_PORT', 'OPS_PORT', 'DAPR_API_TOKEN', 'APP_API_TOKEN', 'DATABASE_POOL_SIZE'];
    for (const name of [...wrong, 'LOG_LEVEL', 'SECRET_PATTERN', 'MISSING'])
      expect(thrown).toThrow(new RegExp(`^  ${name}: `, 'm'));
    expect(thrown).not.toThrow(/DATABASE_PORT|DAPR_HTTP_PORT|hunter2|70000|2\.5/);
  });

  it('when a token is empty, the process does not start: there is no default secret', () => {
    expect(() => readConfig(shape, { ...good, APP_API_TOKEN: '' })).toThrow('APP_API_TOKEN');
  });
});
