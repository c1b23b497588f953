import type { Transaction } from '../_chassis/database.ts';
import { home, type Account } from './account.ts';
import { authContract } from './contract.ts';
import { digestOf, newSecret } from './sealing.ts';
import { addLink, type Purpose } from './store-accounts.ts';

const { MailRequested } = authContract.events;
const minutes = 60_000;

interface To {
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

/** What auth writes to people; each asks for a mail in the transaction of what it tells. Links work once. */
export interface Mails {
  verify(tx: Transaction, to: To): void;
  invite(tx: Transaction, to: To): void;
  forgot(tx: Transaction, to: To): void;
  /** To an address without an account, so that asking costs and shows the same. */
  forgotNothing(tx: Transaction, email: string): void;
  alreadyRegistered(tx: Transaction, to: Account): void;
  passwordChanged(tx: Transaction, to: To): void;
  /** Somebody was invited under the address of an account. */
  invitedAgain(tx: Transaction, to: Account): void;
}

/** Mails whose links lead to the public URL. */
export function createMails(publicUrl: string): Mails {
  function send(tx: Transaction, to: Omit<To, 'name'> & { name?: string }, subject: string, ...lines: string[]): void {
    const greeting = to.name === undefined || to.name === '' ? 'Hello,' : `Hello ${to.name},`;
    const text = [greeting, ...lines, 'Sidecart'].join('\n\n');
    tx.emit(MailRequested, { subject: to.id, tenant: home, data: { to: to.email, subject, text } });
  }

  function link(tx: Transaction, to: To, purpose: Purpose, lifeMs: number): string {
    const secret = newSecret();
    addLink(tx, to, { purpose, secretHash: digestOf(secret), lifeMs });
    const path = purpose === 'verify' ? '/account/verify' : '/account/reset';
    return `${publicUrl}${path}?token=${secret}`;
  }

  return {
    verify: (tx, to) =>
      send(
        tx,
        to,
        'Confirm your e-mail address',
        'please confirm that this is your address, within a day:',
        link(tx, to, 'verify', 24 * 60 * minutes),
        'If it was not you who gave it, you need do nothing.',
      ),
    invite: (tx, to) =>
      send(
        tx,
        to,
        'You are invited',
        'there is an account for you. Choose a password, within a week:',
        link(tx, to, 'set-password', 7 * 24 * 60 * minutes),
      ),
    forgot: (tx, to) =>
      send(
        tx,
        to,
        'Choose a new password',
        'somebody, hopefully you, has asked for a new password. Choose it within half an hour:',
        link(tx, to, 'set-password', 30 * minutes),
        'If it was not you, you need do nothing: your password stays as it is.',
      ),
    forgotNothing: (tx, email) =>
      send(
        tx,
        { id: 'nobody', email },
        'No account with this address',
        'somebody, hopefully you, has asked for a new password. There is no account with this address.',
        `You can make one: ${publicUrl}/account/register`,
      ),
    alreadyRegistered: (tx, to) =>
      send(
        tx,
        to,
        'You have an account already',
        'somebody, hopefully you, has tried to register with this address. You have an account already.',
        `If you have forgotten its password: ${publicUrl}/account/forgot`,
      ),
    passwordChanged: (tx, to) =>
      send(
        tx,
        to,
        'Your password has been changed',
        'your password has been changed, and you are signed out everywhere.',
        `If it was not you: ${publicUrl}/account/forgot`,
      ),
    invitedAgain: (tx, to) =>
      send(
        tx,
        to,
        'You were invited, and have an account already',
        'somebody has invited you with this address. You have an account already, so nothing has changed.',
      ),
  };
}
