import { listed, type Table } from '../_chassis/impossible.ts';

/**
 * How a profile is: `verified` is only a note that the account was verified before we heard of its profile, `declined` an
 * invitation to an address that has an account. From outside a declined one looks like one that nobody has accepted yet.
 */
export type ProfileState = 'none' | 'verified' | 'invited' | 'active' | 'declined' | 'erased';

/** What can happen to a profile: wishes of people, what auth says of the account, the end of an invitation's time. */
export type ProfileInput = 'create' | 'register' | 'verify' | 'decline' | 'change' | 'erase' | 'expire';

/** The state that an input leads to; `unchanged`: late, or heard before; `absent`: to whoever asks there is no profile. */
export type ProfileDecision = Exclude<ProfileState, 'none'> | 'unchanged' | 'absent';

/** Every pair of state and input that can occur; all others are impossible. */
export const profileTable: Table<ProfileState, ProfileInput, ProfileDecision> = {
  none: {
    create: 'invited',
    register: 'invited',
    verify: 'verified',
    decline: 'erased',
    change: 'absent',
    erase: 'absent',
    expire: 'unchanged',
  },
  verified: {
    register: 'active',
    verify: 'unchanged',
    decline: 'unchanged',
    change: 'absent',
    erase: 'absent',
    expire: 'unchanged',
  },
  invited: {
    register: 'unchanged',
    verify: 'active',
    decline: 'declined',
    change: 'invited',
    erase: 'erased',
    expire: 'erased',
  },
  // Declined: a new e-mail address that another account has. It stays what the person says of himself.
  active: {
    register: 'unchanged',
    verify: 'unchanged',
    decline: 'unchanged',
    change: 'active',
    erase: 'erased',
    expire: 'unchanged',
  },
  declined: {
    register: 'unchanged',
    verify: 'unchanged',
    decline: 'unchanged',
    change: 'absent',
    erase: 'absent',
    expire: 'erased',
  },
  erased: {
    register: 'unchanged',
    verify: 'unchanged',
    decline: 'unchanged',
    change: 'absent',
    erase: 'absent',
    expire: 'unchanged',
  },
};

/** Decides what an input does to a profile; throws ImpossibleInput for a pair the table does not list. */
export const decideProfile = (state: ProfileState, input: ProfileInput): ProfileDecision =>
  listed('users', profileTable, state, input);

type Preferences = Readonly<Record<string, boolean | number | string>>;

/** Preferences with changes laid over them; null takes one out. */
export function mergePreferences(
  before: Preferences,
  changes: Readonly<Record<string, boolean | number | string | null>>,
): Record<string, boolean | number | string> {
  const merged = Object.entries({ ...before, ...changes });
  return Object.fromEntries(merged.flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

/** Whether somebody with these roles may give this one: each permission that it brings must be his own. */
export const mayGive = (
  own: readonly string[],
  role: string,
  permissions: Readonly<Record<string, readonly string[]>>,
): boolean =>
  Object.values(permissions).every((having) => !having.includes(role) || having.some((one) => own.includes(one)));
