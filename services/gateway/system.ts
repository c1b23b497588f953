import { z } from 'zod';
import { open } from './parts.ts';
import type { Route } from './route.ts';

/** How the gateway and one service are doing, as `GET /health` says it. */
export const health = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  services: z.record(z.string(), z.object({ status: z.enum(['healthy', 'unhealthy']), latencyMs: z.number().int() })),
});

const index = z.object({
  name: z.string(),
  about: z.string(),
  links: z.record(z.string(), z.string()),
  routes: z.array(z.object({ method: z.string(), path: z.string(), does: z.string(), permission: z.string() })),
});

/** The routes by which the API tells of itself. */
export const systemRoutes = {
  showIndex: { method: 'GET', path: '/', does: 'says what this is', answers: { 200: { body: index } }, ...open },
  showApi: {
    method: 'GET',
    path: '/openapi.json',
    does: 'describes this API (OpenAPI 3.1)',
    answers: { 200: { body: z.looseObject({ openapi: z.string() }) } },
    ...open,
  },
  showHealth: {
    method: 'GET',
    path: '/health',
    does: 'shows how the gateway and every service are',
    answers: { 200: { body: health }, 503: { body: health } },
    ...open,
  },
} as const satisfies Record<string, Route>;
