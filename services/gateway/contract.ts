import type { z } from 'zod';
import { authRoutes } from './auth.ts';
import { stockRoutes } from './inventory.ts';
import { orderRoutes } from './orders.ts';
import { productRoutes } from './products.ts';
import type { Input, Reply, Route } from './route.ts';
import { roleRoutes } from './roles.ts';
import { shopRoutes } from './shop.ts';
import { systemRoutes, type health } from './system.ts';
import { tenantRoutes } from './tenants.ts';
import { userRoutes } from './users.ts';

export type Health = z.infer<typeof health>;

/**
 * The public REST API, whole: what is not in this table is 404, or 405 where another method is. A path is looked for from
 * the top, so what is asked most comes first.
 */
export const routes = {
  ...orderRoutes,
  ...productRoutes,
  ...systemRoutes,
  ...stockRoutes,
  ...userRoutes,
  ...tenantRoutes,
  ...roleRoutes,
  ...authRoutes,
  ...shopRoutes,
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;

type Handled = { [Name in RouteName]: (typeof routes)[Name] extends { question: object } ? never : Name }[RouteName];

/** One handler for each route that is not one method of a service; each throws a ProblemError for what is not a success. */
export type Handlers = { readonly [Name in Handled]: (input: Input<(typeof routes)[Name]>) => Promise<Reply> };
