import 'reflect-metadata'; // @peculiar/x509 needs it
import { KeyObject, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const clockSkewMs = 3_600_000;

/** A certificate with its private key; both are written by `pemOf`. */
export interface Issued {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** What a certificate is to say: whose it is, until when (epoch milliseconds), and whether it may sign others. */
export interface Wanted {
  readonly subject: string;
  readonly now: number;
  readonly lifetimeMs: number;
  /** How many authorities may stand below this one; undefined for what is none. */
  readonly pathLength?: number;
  readonly names?: x509.JsonGeneralNames;
}

/** Makes a key pair (P-256) and its certificate (RFC 5280), signed by `issuer` or, without one, by itself. */
export async function issue(wanted: Wanted, issuer?: Issued): Promise<Issued> {
  const { subject, now, lifetimeMs, pathLength, names } = wanted;
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const isAuthority = pathLength !== undefined;
  const extensions = [
    new x509.BasicConstraintsExtension(isAuthority, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags[isAuthority ? 'keyCertSign' : 'digitalSignature'], true),
    await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ...(isAuthority ? [] : [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])]),
    ...(names ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ...(issuer ? [await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey)] : []),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: new Date(now - clockSkewMs),
    notAfter: new Date(now + lifetimeMs),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    extensions,
  });
  return { certificate, keys };
}

/** The PEM texts of a certificate and of its key (PKCS #8). */
export const pemOf = ({ certificate, keys }: Issued) => ({
  certificate: `${certificate.toString('pem')}\n`,
  key: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
});
