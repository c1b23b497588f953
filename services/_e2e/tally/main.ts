import { catchUpEnvironment, databaseEnvironment, readConfig, serviceEnvironment } from '../../_chassis/config.ts';
import { runService } from '../../_chassis/service.ts';
import { buildApp } from './app.ts';
import { tallyContract } from './contract.ts';

const environment = { ...serviceEnvironment, ...databaseEnvironment, ...catchUpEnvironment };
await runService(tallyContract, readConfig(environment), buildApp);
