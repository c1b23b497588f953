import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Handlers } from './contract.ts';
import { open } from './parts.ts';
import type { Reply, Route } from './route.ts';

const text = z.string().optional();

/** The page of the shop: it signs in like any other client, and uses nothing but the public API. */
export const shopRoutes = {
  showShop: {
    method: 'GET',
    path: '/shop',
    does: 'shows the shop, for browsers',
    // What comes back from a sign-in (RFC 6749, RFC 9207) or a sign-out.
    query: z.object({ code: text, state: text, iss: text, error: text, error_description: text }).strict(),
    answers: { 200: { body: 'html' } },
    ...open,
  },
  showShopScript: {
    method: 'GET',
    path: '/shop.js',
    does: "gives the shop page's script",
    answers: { 200: { body: 'script' } },
    ...open,
  },
} as const satisfies Record<string, Route>;

/** Both files, read once. */
export function shopHandlers(): Pick<Handlers, keyof typeof shopRoutes> {
  const read = (name: string) => readFileSync(new URL(`./shop/${name}`, import.meta.url), 'utf8');
  const html = read('shop.html');
  const style = /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? '';
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  const file = (bytes: string, type: string, more: Record<string, string> = {}): Reply => ({
    status: 200,
    bytes: Buffer.from(bytes),
    headers: { 'content-type': `${type}; charset=utf-8`, ...more },
  });
  const page = file(html, 'text/html', { 'content-security-policy': policy.join('; ') });
  const script = file(read('shop.js'), 'text/javascript');
  return { showShop: async () => page, showShopScript: async () => script };
}
