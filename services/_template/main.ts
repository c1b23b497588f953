import { readConfig } from '../_chassis/config.ts';
import { runService } from '../_chassis/service.ts';
import { buildApp } from './app.ts';
import { environment } from './config.ts';
import { fieldNotesContract } from './contract.ts';

await runService(fieldNotesContract, readConfig(environment), buildApp);
