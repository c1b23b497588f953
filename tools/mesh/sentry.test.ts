import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureEdgeCertificate } from './edge-certificate.ts';
import { forgetEndingAuthority } from './sentry.ts';

const dayMs = 24 * 3_600_000;
const now = Date.now();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidecart-sentry-'));
  // Certificates for a year: one of today, and one that has 25 days left.
  await ensureEdgeCertificate(join(folder, 'new'), now);
  await ensureEdgeCertificate(join(folder, 'old'), now - 340 * dayMs);
});
afterAll(() => rm(folder, { recursive: true }));

async function keptWith(ca: 'new' | 'old', issuer: 'new' | 'old'): Promise<boolean> {
  const sentry = await mkdtemp(join(folder, 'sentry-'));
  await cp(join(folder, ca, 'ca.pem'), join(sentry, 'ca.crt'));
  await cp(join(folder, issuer, 'ca.pem'), join(sentry, 'issuer.crt'));
  forgetEndingAuthority(sentry, now);
  return existsSync(sentry);
}

describe('the authority of the mesh', () => {
  it('when both of its certificates last for months, is kept', async () => {
    expect(await keptWith('new', 'new')).toBe(true);
  });

  it.each([
    ['old', 'new'],
    ['new', 'old'],
  ] as const)('when a certificate ends within the month (%s, %s), is made anew', async (ca, issuer) => {
    expect(await keptWith(ca, issuer)).toBe(false);
  });

  it('when it has none yet, keeps its folder', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    forgetEndingAuthority(empty, now);
    expect(existsSync(empty)).toBe(true);
  });
});
