// Loads every service once, so that the image holds their sources as V8 wants them: node tools/compose/warm.ts
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repository } from '../mesh/home.ts';
import { serviceFolders } from '../mesh/service-folders.ts';

const modules = [
  ...(await serviceFolders(repository)).flatMap((name) => [`services/${name}/app.ts`, `services/${name}/config.ts`]),
  'services/_chassis/service.ts',
];
for (const file of modules) await import(pathToFileURL(join(repository, file)).href);
flushCompileCache();
