/** What every answer carries, also the one to what was no HTTP at all; a page that needs more says so itself. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  // A copy kept anywhere on the way could be older than a write that this client has been told of.
  'cache-control': 'no-store',
};
