import 'reflect-metadata'; // @peculiar/x509 needs it
import { KeyObject, X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const dayMs = 24 * 3_600_000;
const lifetimeMs = 365 * dayMs; // browsers refuse what is valid for more than 398 days
const renewBeforeMs = 30 * dayMs;

/** The names of the edge on this machine. */
const names: x509.JsonGeneralNames = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
];

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

/**
 * Sees to it that a folder has a development certificate for localhost that is valid for a month yet: `cert.pem`, `key.pem`,
 * and `ca.pem`, which a client has to trust. The key that signed it is forgotten at once: who trusts that CA trusts nothing else.
 */
export async function ensureEdgeCertificate(folder: string, now = Date.now()): Promise<void> {
  if (await isGood(folder, now + renewBeforeMs)) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const validity = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + lifetimeMs) };
  const [issuer, own] = await Promise.all([newKeys(), newKeys()]);
  const name = `CN=Sidecart development, OU=${new Date(now).toISOString().slice(0, 19)}`;
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name,
    keys: issuer,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: 'CN=localhost',
    issuer: name,
    publicKey: own.publicKey,
    signingKey: issuer.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(own.publicKey),
    ],
  });
  await put(folder, 'ca.pem', `${authority.toString('pem')}\n`);
  await put(folder, 'key.pem', KeyObject.from(own.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString());
  await put(folder, 'cert.pem', `${certificate.toString('pem')}\n`);
}

async function put(folder: string, name: string, text: string): Promise<void> {
  const unfinished = join(folder, `${name}.${process.pid}.tmp`);
  await writeFile(unfinished, text, { mode: 0o600 });
  await rename(unfinished, join(folder, name));
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
