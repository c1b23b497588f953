/** An account's state; `pending` may not sign in yet. */
export type AccountStatus = 'pending' | 'active' | 'erased';

/** The tenant in which all accounts are; whoever belongs to others as well is at home here. */
export const home = 'main';

/** Somebody who can, or could, sign in. */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string | null;
  readonly verified: boolean;
  readonly status: AccountStatus;
}

const emailPattern = /^[^\s@"(),:;<>[\\\]\p{Cc}]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/u;

/** An e-mail address as it is kept and compared, or undefined when it is none. */
export function normaliseEmail(text: string): string | undefined {
  const email = text.trim().normalize('NFC').toLowerCase();
  return email.length <= 254 && emailPattern.test(email) ? email : undefined;
}

/** A name as it is kept, or undefined when it can't be one. */
export function normaliseName(text: string): string | undefined {
  const name = text.trim().normalize('NFC');
  return /^[^\p{Cc}\p{Cs}]{1,120}$/u.test(name) ? name : undefined;
}

const shortest = 12;
const longest = 128;
// What is tried first, of those that are long enough (the most common ones of public leaks); compared without case, digits and marks at the end.
const common = new Set(
  `password passwordpassword passw0rd qwertyuiop qwertyuiopasdf qwertyqwerty iloveyou iloveyouforever administrator
   adminadmin adminadminadmin welcomewelcome letmeinletmein changeme changemeplease correcthorsebatterystaple
   abcdefghijkl abcdefghijklmnop asdfghjkl asdfghjklzxc zxcvbnmasdfghjkl sunshinesunshine monkeymonkey dragondragon
   footballfootball princessprincess trustno1trustno1 sidecart sidecartsidecart secretsecret supersecret
   1q2w3e4r5t6y 1qaz2wsx3edc q1w2e3r4t5y6 qwerty`.split(/\s+/),
);

/** What is wrong with a new password, in words for its owner (NIST SP 800-63B: length and a list, no rules of composition). */
export function passwordProblem(password: string, email: string): string | undefined {
  const length = [...password].length;
  if (length < shortest) return `Use at least ${shortest} characters; a few unrelated words are good.`;
  if (length > longest) return `Use at most ${longest} characters.`;
  const lower = password.normalize('NFKC').toLowerCase();
  const [local = ''] = email.split('@');
  if (lower === email || (local.length >= 4 && lower.replace(/[\d\W_]+$/, '') === local))
    return 'Your e-mail address can’t be your password.';
  const stem = lower.replace(/[\d\W_]+$/, '');
  if (common.has(lower) || common.has(stem) || stem === '' || /^(.{1,3})\1+$/.test(lower))
    return 'This is one of the first passwords that anybody would try. Use another one.';
  return undefined;
}

/** How long whoever was wrong so often has to wait, in milliseconds: nothing at first, then twice as long each time, 15 minutes at most. */
export function waitAfter(failures: number, free: number): number {
  return failures <= free ? 0 : Math.min(900_000, 1_000 * 2 ** Math.min(20, failures - free - 1));
}
