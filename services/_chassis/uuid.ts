import { randomPiece } from './random.ts';

/** A UUIDv7 (RFC 9562): 48 bits of epoch milliseconds, then random; text, made here because PostgreSQL 15 can't. */
export function uuidv7(now = Date.now()): string {
  const bytes = randomPiece(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
