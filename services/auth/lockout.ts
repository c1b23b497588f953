import type { Database, Transaction } from '../_chassis/database.ts';
import type { Cookie } from './visit.ts';
import { digestOf, newSecret, type Sealing } from './sealing.ts';
import { countTry, forgiveTry } from './store-tries.ts';

/**
 * Slows down whoever guesses passwords, without a way to lock anybody else out (OWASP's device cookies): a device that
 * its owner has signed in on counts alone; all others share a count for the account, and one for their address. On a new device
 * the way past strangers who keep guessing is a new password, by mail.
 */
export interface Lockout {
  /** Milliseconds to wait, or 0 for a try that now counts as failed until it is forgiven. */
  begin(who: Visitor): Promise<number>;
  /** After a right password: takes the try back, and gives the device's new cookie. */
  forgive(tx: Transaction, who: Visitor): Cookie;
  /** The cookie of a device that its owner uses: whatever strangers try, he can sign in on it. */
  trust(who: Pick<Visitor, 'email'>): Cookie;
  /** The cookie's name, one for each account that signs in on a device. */
  cookieFor(who: Pick<Visitor, 'email'>): string;
}

export interface Visitor {
  readonly email: string;
  readonly address: string;
  /** The value of the device cookie, if there is one. */
  readonly device: string | undefined;
}

const freeTries = { device: 5, account: 5, address: 20 };

export function createLockout(database: Database, sealing: Sealing): Lockout {
  const codeOf = ({ email }: Pick<Visitor, 'email'>, nonce: string) => sealing.codeFor(`device\0${email}\0${nonce}`);

  function keysOf(who: Visitor): (readonly [key: string, free: number])[] {
    const [nonce = '', code] = who.device?.split('.') ?? [];
    if (code !== undefined && code === codeOf(who, nonce)) return [[`device:${digestOf(nonce)}`, freeTries.device]];
    return [
      [`address:${who.address}`, freeTries.address],
      [`account:${digestOf(who.email)}`, freeTries.account],
    ];
  }

  const cookieFor: Lockout['cookieFor'] = ({ email }) => `device_${digestOf(email).slice(0, 12)}`;
  const trust: Lockout['trust'] = (who) => {
    const nonce = newSecret();
    return [cookieFor(who), `${nonce}.${codeOf(who, nonce)}`, 365 * 86_400];
  };

  return {
    async begin(who) {
      for (const [key, free] of keysOf(who)) {
        const wait = await countTry(database, key, free);
        if (wait > 0) return wait;
      }
      return 0;
    },
    forgive(tx, who) {
      for (const [key] of keysOf(who)) forgiveTry(tx, key, key.startsWith('device:'));
      return trust(who);
    },
    trust,
    cookieFor,
  };
}
