import { createHash } from 'node:crypto';

const carriers = ['Blue Van', 'Fjord Freight', 'Swift Parcel'] as const;

/** Who carries an order's parcel and under which code: made up, and always the same for the same order. */
export function assignCarrier(orderId: string): { carrier: string; trackingCode: string } {
  const digest = createHash('sha256').update(orderId).digest();
  const carrier = carriers[digest.readUInt8(0) % carriers.length] ?? carriers[0];
  const digits = String(digest.readUIntBE(1, 6) % 1e12).padStart(12, '0');
  const initials = carrier.replace(/[^A-Z]/g, '');
  return { carrier, trackingCode: `${initials}${digits}` };
}
