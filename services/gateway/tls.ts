import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Server, ServerOptions } from 'node:https';
import type { Log } from '../_chassis/log.ts';

/** Paths of a certificate with its chain and of its key, both PEM. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** TLS 1.3, and 1.2 with forward secrecy and authenticated encryption only (Mozilla's "intermediate", without DHE). */
export const tlsOptions: ServerOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    ...['ECDSA', 'RSA'].flatMap((signature) =>
      ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map((cipher) => `ECDHE-${signature}-${cipher}`),
    ),
  ].join(':'),
};

/** Reads a pair; throws where a file is missing, unreadable, or of another pair. */
export async function readKeyPair(files: CertificateFiles): Promise<KeyPair> {
  const [cert, key] = await Promise.all([readFile(files.certificate, 'utf8'), readFile(files.key, 'utf8')]);
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${files.key} is not the key of ${files.certificate}`);
  return { cert, key };
}

/**
 * Has a server take its files' new content for new connections, within `everyMs` of its change, until it closes; a pair that
 * does not fit together is a warning, and the old one stays. By content: whoever renews may replace the files or what they
 * link to.
 */
export function followKeyPair(
  server: Server,
  files: CertificateFiles,
  first: KeyPair,
  log: Log,
  everyMs: number,
): void {
  let current = first;
  let complaint = '';
  const look = async (): Promise<void> => {
    try {
      const { cert, key } = await readKeyPair(files);
      complaint = '';
      if (cert === current.cert && key === current.key) return;
      server.setSecureContext({ ...tlsOptions, cert, key });
      current = { cert, key };
      log.info({ validTo: new X509Certificate(cert).validTo }, 'certificate renewed');
    } catch (error) {
      const reason = error instanceof Error ? error.message : '?';
      if (reason !== complaint) log.warn({ err: error }, 'certificate unusable, the old one stays');
      complaint = reason;
    }
  };
  const timer = setInterval(() => void look(), everyMs).unref();
  server.on('close', () => clearInterval(timer));
}
