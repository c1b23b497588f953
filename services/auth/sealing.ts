import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Keeps secrets in the database unreadable to whoever has only the database (AES-256-GCM). */
export interface Sealing {
  /** `about` binds the text to its place: it opens only with the same. */
  seal(text: string, about: string): string;
  /** Throws for what was not sealed with this secret and `about`. */
  open(sealed: string, about: string): string;
  /** A code that only the holder of the secret can make. */
  codeFor(text: string): string;
}

const nonceLength = 12;
const tagLength = 16;

/** Sealing by a secret text, from which the keys are derived. */
export function createSealing(secret: string): Sealing {
  const derive = (use: string) => Buffer.from(hkdfSync('sha256', secret, '', `sidecart auth ${use}`, 32));
  const sealingKey = derive('sealing');
  const codeKey = derive('codes');
  return {
    seal(text, about) {
      const nonce = randomBytes(nonceLength);
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce).setAAD(Buffer.from(about));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
    },
    open(sealed, about) {
      const bytes = Buffer.from(sealed, 'base64');
      const nonce = bytes.subarray(0, nonceLength);
      const tag = bytes.subarray(nonceLength, nonceLength + tagLength);
      const decipher = createDecipheriv('aes-256-gcm', sealingKey, nonce, { authTagLength: tagLength })
        .setAAD(Buffer.from(about))
        .setAuthTag(tag);
      const body = decipher.update(bytes.subarray(nonceLength + tagLength));
      return Buffer.concat([body, decipher.final()]).toString('utf8');
    },
    codeFor: (text) => createHmac('sha256', codeKey).update(text).digest('base64url'),
  };
}

/** What is kept of a secret that is random and long: enough to know it again. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** A secret nobody guesses. */
export const newSecret = (): string => randomBytes(32).toString('base64url');
