import type { Mutation } from './mutation.ts';
import { oddHeaders } from './odd-headers.ts';
import { expressionOf } from './pattern.ts';
import { bytesOf } from './request.ts';

/** The other header fields. */
export const headerMutations: readonly Mutation[] = [
  {
    name: 'an odd header',
    apply(draft, draw) {
      const [name, ...values] = draw.of(oddHeaders);
      const value = draw.of(values);
      draft.headers = [...draft.headers.filter(([one]) => one !== name), [name, value]];
      const takes = draft.operation.parameters.find((one) => one.name.toLowerCase() === name)?.schema.pattern;
      return name === 'last-event-id' && takes !== undefined && !expressionOf(takes).test(value) ? 'refused' : 'any';
    },
  },
  {
    name: 'an odd idempotency key',
    apply(draft, draw) {
      const takes = draft.operation.parameters.find(({ name }) => name.toLowerCase() === 'idempotency-key');
      if (!takes) return undefined;
      const bad = [
        'x'.repeat(256),
        'sch\xf6n',
        bytesOf('schön'),
        '"open',
        'a"b"c\t',
        '"a", "b"',
        '""',
        '" "',
        '"a";p=1',
        'a\tb',
        '\x7f',
        '"\\x"',
      ];
      const value = draw.of([
        ...bad,
        '',
        undefined,
        ...['k', '"k"', 'k'.repeat(255)].map((key) => `${key.slice(0, 200)}`),
      ]);
      draft.headers = draft.headers.filter(([name]) => name !== 'idempotency-key');
      if (value !== undefined) draft.headers.push(['idempotency-key', value]);
      if (value === undefined || value === '') return takes.required ? 'refused' : 'any';
      return bad.includes(value) && value !== 'a"b"c\t' ? 'refused' : 'any';
    },
  },
  {
    name: 'a header twice',
    apply(draft, draw) {
      const [name, value] = draw.of(draft.headers);
      draft.headers.push([name, draw.of([value, `${value}x`])]);
      return name === 'idempotency-key' ? 'refused' : 'any';
    },
  },
  {
    name: 'another content type',
    apply(draft, draw) {
      if (!draft.body) return undefined;
      const given = draft.operation.bodies.map(({ type }) => type);
      const type = draw.of([
        ...[
          '',
          'text/plain',
          'application/x-www-form-urlencoded',
          'multipart/form-data; boundary=x',
          'application/jsonp',
          'text/json',
          'json',
        ],
        ...[
          'application/json; charset=utf-16',
          'application/json; charset=latin1',
          'application/problem+json',
          '*/*',
          'application/xml',
          '\xff',
        ],
        ...[
          'application/json, text/plain',
          'application/json\t;',
          `application/json; charset="utf-8"`,
          'application/json; x=y',
          'x'.repeat(2_000),
        ],
      ]);
      draft.headers.push(['content-type', type]);
      const [bare = ''] = type.split(';').map((part) => part.trim().toLowerCase());
      return given.includes(bare) ? 'any' : 'refused';
    },
  },
  {
    name: 'a content encoding',
    apply(draft, draw) {
      if (!draft.body) return undefined;
      draft.headers.push(['content-encoding', draw.of(['gzip', 'br', 'deflate', 'zstd', 'x', 'gzip, gzip'])]);
      return 'refused';
    },
  },
];
