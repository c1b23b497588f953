import { createHmac, sign, type KeyObject } from 'node:crypto';

/** A header or claims, right or not. */
export type Part = Record<string, unknown>;
/** Makes the signature of what is to be signed. */
export type Sign = (input: string) => Buffer;

export const base64url = (value: string | Buffer) => Buffer.from(value).toString('base64url');
export const encode = (part: unknown) => base64url(typeof part === 'string' ? part : JSON.stringify(part));
/** The order of P-256's group. */
export const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export const ecdsa =
  (key: KeyObject, hash = 'sha256', dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): Sign =>
  (input) =>
    sign(hash, Buffer.from(input), { key, dsaEncoding });
export const hmac =
  (secret: string | Buffer, hash = 'sha256'): Sign =>
  (input) =>
    createHmac(hash, secret).update(input).digest();
