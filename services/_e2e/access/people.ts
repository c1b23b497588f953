import { absent, has, isIn, marker, members, strange, subjects, tenants, unheardOf } from './world.ts';
import type { Caller, Thing } from './world.ts';

// People as paths can name them, and what is theirs: exports, memberships, invitations.

/** Has a row only in `quiet`, and must be nobody to everybody. */
export const elsewhere = 'quiet-only';
/** Has no token, and may be erased; nobody else is, because others still need them. */
export const leaver = 'leaver';
/** Is a member that may be removed. */
export const spare = 'spare';
/** Was a member of `other`, and its admin. */
export const gone = '2';
/** The only admin of each tenant but `quiet`. */
export const boss = '5';
/** Whose exports there are. */
export const exporters = ['1', '2', '3'] as const;

export const exportOf = (owner: string): string => `e-${owner}`;
/** What an invitation's mail told a person. */
export const mailedTo = (sub: string): string => `mailed-${sub}`;
/** The address of an account, which auth tells nobody. */
export const emailOf = (tenant: (typeof tenants)[number], id: string): string =>
  `${marker('secret', tenant, id)}@example.com`;
/** A membership's id says of whom and where it is. */
export const membershipOf = (tenant: (typeof tenants)[number], owner: string): string =>
  owner === spare ? spare : marker('membership', tenant, owner);

/** Whether somebody may change, erase or export a person. */
export const mayChange = (caller: Caller, userId: string): boolean =>
  caller.sub === userId || (caller.tenant === 'main' && has(caller, 'people.change'));

const nobodies = [...strange, absent(elsewhere, 'who is elsewhere'), absent(unheardOf, 'who has no profile')];
const known = subjects.filter((sub) => sub !== unheardOf);

/** People as auth knows them in a tenant: everybody at home, elsewhere its members. */
export const accounts: readonly Thing[] = [
  ...nobodies,
  ...known.map((id) => ({
    id,
    what: `${id} himself`,
    isThereFor: ({ tenant }: Caller) => tenant === 'main' || members[tenant].includes(id),
  })),
];

/** Who may be erased. */
export const leavers: readonly Thing[] = [
  ...strange,
  { id: leaver, what: 'who may leave', isThereFor: () => undefined },
];

/** What each parameter of a path can name of people; the first is what is not there. */
export const belongings = {
  // Everybody may know the name; who may not change somebody is not told whether he is there.
  userId: [...nobodies, ...known.map((id) => ({ id, what: `${id} himself`, isThereFor: () => true }))],
  // What a sign-in is called; there is none.
  uid: strange,
  exportId: [
    ...strange,
    absent('quiet-export', 'what is elsewhere'),
    ...exporters.map((owner) => ({
      id: exportOf(owner),
      what: `${owner}'s`,
      isThereFor: (caller: Caller) => mayChange(caller, owner),
    })),
  ],
  tenantId: [
    ...strange,
    ...tenants.map((id) => ({ id, what: id, isThereFor: (caller: Caller) => id === caller.tenant && isIn(caller) })),
  ],
  membershipId: [
    ...strange,
    absent(membershipOf('quiet', '1'), 'what is elsewhere'),
    absent(membershipOf('other', gone), 'what has ended'),
    ...tenants.map((tenant) => ({
      id: membershipOf(tenant, boss),
      what: `the admin of ${tenant}`,
      isThereFor: (caller: Caller) => tenant === caller.tenant && isIn(caller),
    })),
    {
      id: spare,
      what: 'what may end',
      isThereFor: (caller: Caller) => (caller.tenant === 'main' && isIn(caller) ? undefined : false),
    },
  ],
  invitationId: [
    ...strange,
    absent('main.late', 'what was in time once'),
    absent('main.stray', 'what is elsewhere'),
    absent(`main.to-${unheardOf}`, 'what nobody can take'),
    absent('other.to-2', 'another’s'),
    // Whoever has the token may take it, once; with any other it is not there.
    { id: 'main.to-1', what: '1’s', isThereFor: ({ sub }: Caller) => (sub === '1' ? undefined : false) },
  ],
} satisfies Readonly<Record<string, readonly Thing[]>>;

/** The statuses by which users itself refuses to end a membership; none where it does not. */
export function endRefused(caller: Caller, membershipId: string): readonly number[] {
  if (!isIn(caller)) return [];
  if (membershipId === membershipOf(caller.tenant, boss)) return [has(caller, 'tenants.manage') ? 409 : 403];
  // Somebody else may have removed it by now.
  return caller.tenant === 'main' && membershipId === spare && !has(caller, 'tenants.manage') ? [403, 404] : [];
}
