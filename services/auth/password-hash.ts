import { argon2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

// OWASP's least for Argon2id: 19 MiB, two passes, one lane; 56 ms here.
const cost = { memory: 19 * 1_024, passes: 2, parallelism: 1 };
const tagLength = 32;
const phc = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const plain = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
/** However a keyboard composes its letters, the password is the same (NIST SP 800-63B, 5.1.1.2). */
const message = (password: string) => Buffer.from(password.normalize('NFKC'));

/** An Argon2id hash in PHC form; takes a core for its time, so only for seeds and the password worker. */
export function hashPassword(password: string): string {
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', { message: message(password), nonce, tagLength, ...cost });
  const { memory, passes, parallelism } = cost;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${plain(nonce)}$${plain(tag)}`;
}

// Of no password: whoever has no account costs the same.
const nobodys = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${plain(randomBytes(16))}$${plain(randomBytes(tagLength))}`;

/** Whether a password is the hash's; without a hash the same work, and no. */
export function isPassword(password: string, hash: string | null): boolean {
  const [, memory, passes, parallelism, nonce = '', expected = ''] = phc.exec(hash ?? nobodys) ?? [];
  const tag = Buffer.from(expected, 'base64');
  const given = argon2Sync('argon2id', {
    message: message(password),
    nonce: Buffer.from(nonce, 'base64'),
    tagLength: tag.length,
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  });
  return timingSafeEqual(given, tag) && hash !== null;
}
