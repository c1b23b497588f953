import { catchUpEnvironment, databaseEnvironment, serviceEnvironment } from '../_chassis/config.ts';

/** The environment of field-notes: it has no settings of its own. */
export const environment = { ...serviceEnvironment, ...databaseEnvironment, ...catchUpEnvironment };
