import { accounts, endRefused, leavers, mailedTo, mayChange } from './people.ts';
import { has, isIn, marker, unheardOf, type Caller, type Thing } from './world.ts';

/** How requests of one route are made that are right but for who sends them. */
export interface Recipe {
  /** Bodies of the caller's that the route takes. */
  readonly bodies?: (caller: Caller) => readonly object[];
  readonly queries?: readonly string[];
  /** Forms, where auth answers itself. */
  readonly forms?: readonly string[];
  /** Sent with whatever names something that others still need. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the path can name here, where that is not what it can name elsewhere. */
  readonly things?: readonly Thing[];
  /** The statuses by which the service itself refuses this to a caller whom the table lets through; none: it does not. */
  readonly refuses?: (caller: Caller, id: string) => readonly number[];
}

const forbidden = (is: boolean): readonly number[] => (is ? [403] : []);
const unlessOwn = { refuses: (caller: Caller, id: string) => forbidden(!mayChange(caller, id)) };

const cents = { amount: 990, currency: 'EUR' };
const lists = ['', 'limit=100', 'limit=1', 'limit=', 'cursor='];

/** OAuth has 400 for a request that lacks something; a path that no sign-in can have is none of auth's pages. */
const pageRefusals = (status: number, id: string): readonly number[] =>
  id === '' ? [status, ...(status === 401 ? [400] : [])] : [status, 404];

/** What auth answers itself: whatever token comes with it, without a session, a code or a client's secret there is nothing. */
const refusedPages = Object.fromEntries(
  (
    [
      [400, 'authorize', 'continueAuthorization', 'signOut', 'showVerification', 'showReset', 'showSignIn'],
      [401, 'giveToken', 'introspect', 'revoke', 'showUserinfo'],
      [403, 'showPassword', 'showSignOutHere', 'showAccount', 'sendSignIn', 'sendRegistration', 'sendVerification'],
      [403, 'sendForgotten', 'sendReset', 'sendPassword', 'sendSignOutHere'],
    ] as const
  ).flatMap(([status, ...names]) =>
    names.map((name) => [name, { refuses: (_caller: Caller, id: string) => pageRefusals(status, id) }] as const),
  ),
);

/** By the route's name; one with a body needs an entry, and any may have one. */
export const recipes: Readonly<Record<string, Recipe>> = {
  listProducts: { queries: [...lists, 'query=zz', 'query=other', 'query=%25', 'category=home', 'category=none'] },
  listOrders: { queries: [...lists, ...['placed', 'rejected', 'cancelling', 'shipped'].map((one) => `status=${one}`)] },
  createProduct: {
    bodies: ({ tenant }) =>
      ['home', 'bath'].map((category) => ({ name: marker('catalog', tenant), category, price: cents })),
  },
  changeProduct: {
    bodies: ({ tenant }) => [{ name: marker('catalog', tenant) }, { price: cents }, { category: 'bath' }],
  },
  retireProduct: { headers: { 'if-match': '"99.not-there"' } },
  receiveStock: { bodies: () => ['north', 'south'].map((warehouse) => ({ warehouse, quantity: 1 })) },
  adjustStock: {
    // What `other` has not in the south is there in the south of others.
    bodies: () => [
      ...[-1, 1].map((quantity) => ({ warehouse: 'north', quantity, reason: 'counted' })),
      { warehouse: 'south', quantity: -100_000, reason: 'counted' },
    ],
  },
  createUser: { bodies: () => [{ name: 'Somebody', email: 'new@example.com' }] },
  listUsers: { queries: lists },
  replaceUser: { bodies: () => [{ name: 'Somebody', email: 'somebody@example.com' }], ...unlessOwn },
  changeUser: { bodies: () => [{ name: 'Somebody' }, { preferences: { theme: null } }], ...unlessOwn },
  eraseUser: { things: leavers, ...unlessOwn },
  requestExport: unlessOwn,
  createTenant: {
    bodies: ({ tenant, sub }) => [{ id: `t-${tenant}-${sub ?? ''}`, name: 'Somebody’s' }],
    refuses: ({ sub }) => forbidden(sub === unheardOf),
  },
  listMembers: { queries: lists },
  inviteMember: {
    bodies: () => [{ email: 'guest@example.com', roles: ['customer'] }],
    refuses: (caller, id) => forbidden(id === caller.tenant && isIn(caller) && !has(caller, 'tenants.manage')),
  },
  acceptInvitation: { bodies: ({ sub = '' }) => [{ token: 'guessed' }, { token: mailedTo(sub) }] },
  removeMember: { refuses: endRefused },
  listRoles: { things: accounts },
  grantRole: { things: accounts, bodies: () => [{ role: 'admin' }] },
  revokeRole: { things: accounts, bodies: () => [{ role: 'warehouse' }] },
  ...refusedPages,
  placeOrder: {
    bodies: () =>
      ['lamp', 'main-only', 'other-only', 'quiet-only', 'absent', '*'].map((productId) => ({
        items: [{ productId, quantity: 1 }],
        paymentToken: 'tok_ok',
      })),
  },
};
