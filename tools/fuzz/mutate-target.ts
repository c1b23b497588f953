import type { Parameter } from './document.ts';
import type { Mutation } from './mutation.ts';
import { oddIds } from './odd-ids.ts';
import { expressionOf } from './pattern.ts';

/** Method, path and query. */
export const targetMutations: readonly Mutation[] = [
  {
    name: 'an odd id',
    apply(draft, draw) {
      if (!draft.operation.path.includes('{')) return undefined;
      const id = draw.of(oddIds);
      draft.path = draft.operation.path.replace(/\{\w+\}/, () => id);
      return /^[^%]*%(?![0-9a-f]{2})/i.test(id) || id.includes('%00') || id.includes('%0d') ? 'refused' : 'any';
    },
  },
  {
    name: 'another path',
    apply(draft, draw) {
      draft.path = draw.of([
        ...[
          `${draft.path}/`,
          `/${draft.path}`,
          `${draft.path}/x`,
          draft.path.toUpperCase(),
          `/.${draft.path}`,
          `${draft.path};v=1`,
        ],
        ...[
          draft.path.replace('/api', '/api/../api'),
          `${draft.path}%20`,
          `${draft.path}.json`,
          '/dapr/subscribe',
          '/v1.0/healthz',
          '/metrics',
        ],
      ]);
      return draft.path.includes('\x00') ? 'refused' : 'any';
    },
  },
  {
    name: 'another method',
    apply(draft, draw) {
      draft.method = draw.of([
        'HEAD',
        'OPTIONS',
        'PUT',
        'TRACE',
        'DELETE',
        'PATCH',
        'GET',
        'POST',
        'get',
        'QUERY',
        'PROPFIND',
      ]);
      return draft.method === 'get' ? 'refused' : 'any';
    },
  },
  {
    name: 'an unknown query parameter',
    apply(draft, draw) {
      const name = draw.of([
        'page',
        '__proto__',
        'constructor',
        'limit%00',
        'Limit',
        'limit[]',
        'limit[a]',
        '%24gt',
        '',
        'access_token',
        'x'.repeat(500),
      ]);
      draft.query.push([name, draw.of(['1', '', '%00', '[]'])]);
      return draft.operation.isStrict ? 'refused' : 'any';
    },
  },
  {
    name: 'a query parameter twice',
    apply(draft) {
      const [first] = draft.query;
      if (!first) return undefined;
      draft.query.push([...first]);
      return draft.operation.isStrict ? 'refused' : 'any';
    },
  },
  {
    name: 'an odd value of a query parameter',
    apply(draft, draw) {
      const all = draft.operation.parameters.filter((one) => one.in === 'query');
      if (all.length === 0) return undefined;
      const one = draw.of(all);
      const value = draw.of([
        ...[
          '',
          '0',
          '-1',
          '101',
          '1.5',
          '1e1',
          '01',
          '%2B1',
          '0x10',
          '99999999999999999999',
          '%20',
          'NaN',
          'null',
          'true',
          '[]',
          '{}',
        ],
        ...[
          '%00',
          '%ff',
          '%e2%82',
          '%',
          '%u0041',
          '%ED%A0%80',
          '%F0%9F%98%80',
          '%E2%80%AE',
          '+',
          '%26',
          'x'.repeat(201),
          'x'.repeat(501),
        ],
        ...[
          '%0d%0a',
          "'",
          '%25',
          '_',
          '%5C',
          '(',
          '*',
          'a'.repeat(4_200),
          'eyJpZCI6MX0',
          'W10',
          'e30',
          'bnVsbA',
          '__proto__',
        ],
      ]);
      draft.query = [...draft.query.filter(([name]) => name !== one.name), [one.name, value]];
      return fits(one, value) || !draft.operation.isStrict ? 'any' : 'refused';
    },
  },
];

/** Whether the text of a parameter can be what its schema says; what is not certain fits. */
function fits({ schema }: Parameter, value: string): boolean {
  let text: string;
  try {
    text = decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return false;
  }
  if (text === '') return true;
  if (text.includes('\0')) return false;
  if (schema.type === 'integer') {
    return (
      /^-?\d+$/.test(text) &&
      Number(text) >= (schema.minimum ?? -Infinity) &&
      Number(text) <= (schema.maximum ?? Infinity)
    );
  }
  if (schema.enum) return schema.enum.includes(text);
  if (schema.pattern !== undefined && !expressionOf(schema.pattern).test(text)) return false;
  return [...text].length <= (schema.maxLength ?? Infinity);
}
