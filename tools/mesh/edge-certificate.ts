import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issue, pemOf } from './certificates.ts';
import { writeWhole } from './whole-file.ts';

const dayMs = 24 * 3_600_000;
const lifetimeMs = 365 * dayMs; // browsers refuse what is valid for more than 398 days
const renewBeforeMs = 30 * dayMs;

/**
 * Sees to it that a folder has a development certificate for localhost that is valid for a month yet: `cert.pem`, `key.pem`,
 * and `ca.pem`, which a client has to trust; `names` are other hosts that it is for. The key that signed it is forgotten at
 * once: who trusts that CA trusts nothing else.
 */
export async function ensureEdgeCertificate(
  folder: string,
  now = Date.now(),
  { mode = 0o600, names = [] }: { mode?: number; names?: readonly string[] } = {},
): Promise<void> {
  if (await isGood(folder, now + renewBeforeMs)) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const subject = `CN=Sidecart development, OU=${new Date(now).toISOString().slice(0, 19)}`;
  const authority = await issue({ subject, now, lifetimeMs, pathLength: 0 });
  const hosts = ['localhost', ...names].map((value) => ({ type: 'dns', value }) as const);
  const addresses = ['127.0.0.1', '::1'].map((value) => ({ type: 'ip', value }) as const);
  const wanted = { subject: 'CN=localhost', now, lifetimeMs, names: [...hosts, ...addresses] };
  const own = pemOf(await issue(wanted, authority));
  await writeWhole(join(folder, 'ca.pem'), pemOf(authority).certificate, mode);
  await writeWhole(join(folder, 'key.pem'), own.key, mode);
  await writeWhole(join(folder, 'cert.pem'), own.certificate, mode);
}

/** Whether the certificate is valid until then, its key is there, and the CA beside it has signed it. */
async function isGood(folder: string, until: number): Promise<boolean> {
  try {
    const [ca, certificate, key] = await Promise.all(
      ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    const own = new X509Certificate(certificate ?? '');
    const signed = own.verify(new X509Certificate(ca ?? '').publicKey);
    return signed && own.checkPrivateKey(createPrivateKey(key ?? '')) && own.validToDate.getTime() > until;
  } catch {
    return false;
  }
}
