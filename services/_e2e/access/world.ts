import { permissions, type Permission, type Role } from '../../auth/contract.ts';

// Who asks, and what there is that not everybody may see. Every row of it carries a marker that says whose it is.

/** In `quiet` nobody does anything: its rows have to be the same afterwards. */
export const tenants = ['main', 'other', 'quiet'] as const;
export type Tenant = (typeof tenants)[number];

/** Somebody with a token, or nobody. Every tenant has the same subjects: an id alone says nothing. */
export interface Caller {
  readonly name: string;
  readonly tenant: Tenant;
  readonly sub: string | undefined;
  readonly roles: readonly string[];
}

const people: readonly (readonly [name: string, sub: string, roles: readonly string[]])[] = [
  ['ada', '1', ['customer']],
  ['ben', '2', ['customer']],
  ['staff', '3', ['staff']],
  ['warehouse', '4', ['warehouse']],
  ['admin', '5', ['admin']],
  ['packer', '6', ['customer', 'warehouse']],
  ['clerk', '7', ['customer', 'staff']],
  ['novice', '8', []],
  ['owner', '9', ['owner', 'Admin', 'staff.']],
];
export const subjects = people.map(([, sub]) => sub);

export const nobody: Caller = { name: 'nobody', tenant: 'main', sub: undefined, roles: [] };
const of = (tenant: Tenant): Caller[] =>
  people.map(([name, sub, roles]) => ({ name: `${name} of ${tenant}`, tenant, sub, roles }));
export const callers: readonly Caller[] = [nobody, ...of('main'), ...of('other')];

/** Whether a caller has a permission, as the table says. */
export const has = ({ roles }: Caller, permission: Permission): boolean =>
  permissions[permission].some((role) => roles.includes(role));

/** Of whom nobody has heard but the issuer of his token: no profile, no account, no membership. */
export const unheardOf = '9';

/** Has rows at home, and is never asked for or about: they have to be the same afterwards. */
export const bystander = 'bystander';

/** Who is a member where. `quiet` has rows of everybody, too, for none of which anybody has a reason to ask. */
export const members: Readonly<Record<Tenant, readonly string[]>> = {
  main: [...subjects.filter((sub) => sub !== unheardOf), bystander],
  other: ['1', '3', '5', '8'],
  quiet: [],
};
/** Whether a caller is a member of the tenant that his token is for. */
export const isIn = ({ tenant, sub }: Caller): boolean => sub !== undefined && members[tenant].includes(sub);

/** Whether somebody may see what carries a marker of this owner and tenant. */
type Sees = (caller: Caller, owner: string, tenant: Tenant) => boolean;
const within =
  (sees: (caller: Caller, owner: string) => boolean): Sees =>
  (caller, owner, tenant) =>
    caller.tenant === tenant && sees(caller, owner);

/** Who may see what carries a marker, by what kind of thing it is. */
const seers = {
  catalog: within(() => true),
  showcase: within(() => true),
  order: within((caller, owner) => caller.sub === owner || has(caller, 'orders.read-all')),
  secret: () => false,
  // A person is himself in every tenant; who reads about people reads at home of everybody, elsewhere of the members.
  profile: (caller, owner) =>
    caller.sub === owner ||
    (has(caller, 'people.read') && (caller.tenant === 'main' || members[caller.tenant].includes(owner))),
  membership: (caller, owner, tenant) =>
    members[tenant].includes(owner) && (caller.sub === owner || (caller.tenant === tenant && isIn(caller))),
  tenant: ({ sub = '' }, _owner, tenant) => members[tenant].includes(sub),
} satisfies Record<string, Sees>;
export type Kind = keyof typeof seers;

/** The text that a row carries which is of this kind and owner. */
export const marker = (kind: Kind, tenant: Tenant, owner = 'shop'): string => `zz-${kind}-${tenant}-${owner}-zz`;

/** Units of stock are markers as well: the first digits are the tenant's, and nobody books as many as the others hold. */
export const stockOf = (tenant: Tenant): number => 715_000_000 + 10_000_000 * tenants.indexOf(tenant);

/** Roles in auth are markers as well: everybody has this one in a tenant, and nobody who is asked about has another's. */
export const roleOf: Readonly<Record<Tenant, Role>> = { main: 'customer', other: 'staff', quiet: 'warehouse' };

/** What a text tells this caller that is none of his business. */
export function leaks(caller: Caller, text: string): string[] {
  const found = [...text.matchAll(/zz-([a-z]+)-([a-z]+)-(\w+)-zz/g)].filter(([, kind = '', of = '', owner = '']) => {
    const sees: Sees | undefined = Object.entries(seers).find(([name]) => name === kind)?.[1];
    const tenant = tenants.find((one) => one === of);
    return !sees || !tenant || tenant === 'quiet' || !sees(caller, owner, tenant);
  });
  const roles = /^\{(?:"kind":"roles",)?"roles":\[([^\]]*)\]/.exec(text)?.[1] ?? '';
  const others = tenants.filter((tenant) => tenant !== caller.tenant && roles.includes(`"${roleOf[tenant]}"`));
  const units = [...text.matchAll(/\b7([1-3])\d{7}\b/g)].filter(
    ([, digit]) => tenants[Number(digit) - 1] !== caller.tenant,
  );
  return [...[...found, ...units].map(([whole]) => whole), ...others.map((tenant) => `the role of ${tenant}`)];
}

/** Something that a path can name. */
export interface Thing {
  readonly id: string;
  readonly what: string;
  /** Whether the caller may know that it is there; undefined where others' doings decide. */
  readonly isThereFor: (caller: Caller) => boolean | undefined;
}

const product = (id: string, ...holders: readonly Tenant[]): Thing => ({
  id,
  what: holders.length === 1 ? `only ${holders[0]}'s` : 'everybody’s own',
  isThereFor: ({ tenant }) => holders.includes(tenant),
});
export const absent = (id: string, what = 'what is not there'): Thing => ({ id, what, isThereFor: () => false });
export const strange = [
  absent('absent'),
  absent('ABSENT '),
  absent("' or 1=1 --"),
  absent('../1'),
  absent('%'),
  absent('*'),
];

/** The products by tenant; each has a price, and stock. */
export const productIds: Readonly<Record<Tenant, readonly string[]>> = {
  main: ['lamp', 'main-only', 'spare'],
  other: ['lamp', 'other-only', 'spare'],
  quiet: ['lamp', 'quiet-only', 'spare'],
};

/** The orders that there are: of each person one that can be cancelled and one that has ended. */
export const orders = tenants.flatMap((tenant) =>
  subjects.flatMap((owner) =>
    ['open', 'done'].map((state) => ({ id: `${tenant}-${owner}-${state}`, tenant, owner, state })),
  ),
);

const order = ({ id, tenant, owner }: (typeof orders)[number]): Thing => ({
  id,
  what: `${tenant}'s ${owner}'s`,
  isThereFor: (caller) => caller.tenant === tenant && (caller.sub === owner || has(caller, 'orders.read-all')),
});

/** What each parameter of a path can name, but for people and what is theirs; the first is what is not there. */
export const goods: Readonly<Record<string, readonly Thing[]>> = {
  productId: [
    ...strange,
    product('lamp', ...tenants),
    ...tenants.map((tenant) => product(`${tenant}-only`, tenant)),
    { id: 'spare', what: 'what may be retired', isThereFor: () => undefined },
  ],
  orderId: [
    ...strange,
    { id: '1', what: 'the showcase', isThereFor: ({ tenant }) => tenant === 'main' },
    ...orders.filter(({ owner }) => ['1', '2', '3', '6'].includes(owner)).map(order),
  ],
};
