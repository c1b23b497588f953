import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether a request carries the token that only our own sidecar knows; compares in constant time. */
export function createTokenCheck(expected: string): (given: string | undefined) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const wanted = digest(expected);
  return (given) => given !== undefined && timingSafeEqual(digest(given), wanted);
}
