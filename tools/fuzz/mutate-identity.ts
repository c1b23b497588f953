import type { Draw } from './draw.ts';
import type { Mutation } from './mutation.ts';
import type { Draft, Workshop } from './request.ts';

const segment = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** What can be made of a good token that is no good token. */
const forgeries: Readonly<Record<string, (token: string) => string>> = {
  empty: () => '',
  'no token': () => 'Bearer ',
  'another scheme': (token) => `Basic ${token}`,
  'two tokens': (token) => `Bearer ${token} ${token}`,
  'a comma': (token) => `Bearer ${token}, Bearer ${token}`,
  unsigned: (token) => `Bearer ${token.split('.').slice(0, 2).join('.')}.`,
  'cut off': (token) => `Bearer ${token.slice(0, -2)}`,
  'alg none': (token) => `Bearer ${segment({ alg: 'none', typ: 'at+jwt' })}.${token.split('.')[1] ?? ''}.`,
  'alg HS256': (token) => `Bearer ${segment({ alg: 'HS256', typ: 'at+jwt' })}.${token.split('.').slice(1).join('.')}`,
  'typ JWT': (token) => `Bearer ${segment({ alg: 'ES256', typ: 'JWT' })}.${token.split('.').slice(1).join('.')}`,
  'a key of its own': (token) =>
    `Bearer ${segment({ alg: 'ES256', typ: 'at+jwt', jku: 'http://127.0.0.1:1/', kid: '../x' })}.${token.split('.').slice(1).join('.')}`,
  'other claims': (token) => {
    const claims = { iss: 'x', sub: '5', tenant: 'main', roles: ['admin'], exp: 9e9 };
    return `Bearer ${[token.split('.')[0], segment(claims), token.split('.')[2]].join('.')}`;
  },
  long: () => `Bearer ${'x'.repeat(5_000)}`,
  bytes: () => 'Bearer \xff\xfe',
};

/** Whose token, and what is done to it. */
export const identityMutations: readonly Mutation[] = [
  {
    name: 'no token',
    apply(draft) {
      draft.person = undefined;
      return draft.operation.open ? 'any' : 'refused';
    },
  },
  ...Object.entries(forgeries).map(([name, forge]) => ({
    name: `token: ${name}`,
    apply(draft: Draft, _: Draw, { tokens, people }: Workshop) {
      draft.token = forge(tokens.get(draft.person ?? people[0]?.name ?? '') ?? '');
      return draft.operation.takesToken ? ('refused' as const) : ('any' as const);
    },
  })),
  {
    name: 'the token of somebody who may not',
    apply(draft, draw, { people, allowed }) {
      const may = allowed(draft.operation);
      const others = people.filter(({ name }) => !may.includes(name));
      if (others.length === 0) return undefined;
      draft.person = draw.of(others).name;
      return 'refused';
    },
  },
  {
    name: "a stranger's token",
    apply(draft, draw, { people }) {
      const { thing } = draft;
      if (thing?.by === undefined || !thing.made || !draft.path.includes('/orders/')) return undefined;
      const isCustomer = (name: string | undefined) =>
        people.find((one) => one.name === name)?.roles.join() === 'customer';
      if (!isCustomer(thing.by)) return undefined;
      draft.person = draw.of(people.filter(({ name }) => isCustomer(name) && name !== thing.by)).name;
      return 'refused';
    },
  },
];
