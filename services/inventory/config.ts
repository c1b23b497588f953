import { catchUpEnvironment, databaseEnvironment, serviceEnvironment } from '../_chassis/config.ts';

/** The environment of inventory: it has no settings of its own. */
export const environment = { ...serviceEnvironment, ...databaseEnvironment, ...catchUpEnvironment };
