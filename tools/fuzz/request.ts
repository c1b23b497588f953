import type { Api, Operation, Schema } from './document.ts';
import type { Draw } from './draw.ts';
import type { Thing, Things } from './things.ts';
import { valueOf } from './values.ts';

/** Somebody whose token can be sent. */
export interface Person {
  readonly name: string;
  readonly roles: readonly string[];
}

/** Part of a request that can still be changed. All text of it is one byte a character, but for `body.value`. */
export interface Draft {
  readonly operation: Operation;
  method: string;
  /** Whose token goes with it; `token` is sent instead. */
  person: string | undefined;
  token: string | undefined;
  path: string;
  query: [name: string, value: string][];
  headers: [name: string, value: string][];
  body: { type: string; value: unknown; schema: Schema; pointer: string; text?: string } | undefined;
  /** The thing that its path is about. */
  thing: Thing | undefined;
}

/** What valid requests are made of. */
export interface Workshop {
  readonly api: Api;
  readonly things: Things;
  readonly people: readonly Person[];
  /** Who was not turned away from an operation, as far as that is known. */
  readonly allowed: (operation: Operation) => readonly string[];
  readonly tokens: ReadonlyMap<string, string>;
}

/** Text as UTF-8, one byte a character. */
export const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** A request that the document allows, about things that are there, by somebody who may; or, if not `sensible`, about anything by anybody. */
export function validDraft(
  { api, things, people, allowed }: Workshop,
  operation: Operation,
  draw: Draw,
  { n, sensible = true, by }: { n: string; sensible?: boolean; by?: string | undefined },
): Draft {
  const { method, parameters, bodies } = operation;
  const may = by === undefined ? allowed(operation) : [by];
  // What is taken away was made for that.
  const isFit = (thing: Thing) => method !== 'DELETE' || thing.made;
  const known = (name: string) => things.pick(name, draw, isFit)?.value;
  let thing: Thing | undefined;
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    thing = sensible ? things.pick(name, draw, isFit) : undefined;
    const schema = parameters.find((one) => one.name === name)?.schema ?? {};
    return encodeURIComponent(thing?.value ?? String(valueOf(api, schema, draw, () => undefined)));
  });
  const own = thing?.by;
  const person =
    sensible && may.length > 0
      ? own !== undefined && may.includes(own) && !draw.oneIn(10)
        ? own
        : draw.of(may)
      : draw.of(people).name;
  // What a schema of text cannot say of them.
  const headerValue = (name: string, schema: Schema): string | undefined => {
    if (name === 'idempotency-key') return draw.oneIn(5) ? `"${n}"` : n;
    if (name === 'traceparent') return '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    if (/^if-(none-)?match$/.test(name)) return things.etagOf(path);
    return bytesOf(String(valueOf(api, schema, draw, () => undefined)));
  };
  const mostlyThere = ({ required }: { required: boolean }) => required || draw.oneIn(3);
  const query = parameters.filter((one) => one.in === 'query' && mostlyThere(one));
  const headers = parameters.filter((one) => one.in === 'header' && mostlyThere(one));
  const body = bodies.length > 0 && (operation.bodyRequired || draw.oneIn(2)) ? draw.of(bodies) : undefined;
  return {
    ...{ operation, method, path, thing, token: undefined },
    person: operation.open && draw.oneIn(own === undefined ? 3 : 10) ? undefined : person,
    query: query.flatMap(({ name, schema }): [string, string][] => {
      const cursor = things.pick(`cursor of ${operation.path}`, draw)?.value;
      if (name === 'cursor' && cursor === undefined) return [];
      const value = name === 'cursor' ? cursor : String(valueOf(api, schema, draw, known, name));
      return [[encodeURIComponent(name), encodeURIComponent(value ?? '')]];
    }),
    headers: [
      ...headers
        .filter(({ name }) => name.toLowerCase() !== 'x-request-id')
        .flatMap(({ name, schema }) => {
          const value = headerValue(name.toLowerCase(), schema);
          return value === undefined ? [] : [[name.toLowerCase(), value] satisfies [string, string]];
        }),
      ['x-request-id', n],
    ],
    body: body && { ...body, value: valueOf(api, body.schema, draw, known) },
  };
}

/** A request as it goes over the wire, one byte a character. */
export interface Request {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | undefined;
}

/** The request that a draft has become. */
export function finish(draft: Draft, tokens: ReadonlyMap<string, string>): Request {
  const { method, path, query, body, person } = draft;
  const token = draft.token ?? (person === undefined ? undefined : `Bearer ${tokens.get(person) ?? ''}`);
  const text = body && (body.text ?? textOf(body.type, body.value));
  const search = query.map(([name, value]) => `${name}=${value}`).join('&');
  return {
    method,
    target: path + (search === '' ? '' : `?${search}`),
    headers: [
      ['host', '127.0.0.1:8080'],
      ...(token === undefined ? [] : [['authorization', token] as const]),
      ...(body && !draft.headers.some(([name]) => name === 'content-type')
        ? [['content-type', body.type] as const]
        : []),
      ...draft.headers,
      ...(text === undefined ? [] : [['content-length', String(text.length)] as const]),
    ],
    body: text,
  };
}

/** A value as a body of that type; JSON, but for forms. */
export function textOf(type: string, value: unknown): string {
  if (type !== 'application/x-www-form-urlencoded') return bytesOf(JSON.stringify(value) ?? 'null');
  const fields = Object.entries(value ?? {}).map(([name, field]): [string, string] => [
    name,
    typeof field === 'string' ? field : JSON.stringify(field),
  ]);
  return new URLSearchParams(fields).toString();
}

/** The bytes of a request. */
export const serialise = ({ method, target, headers, body = '' }: Request): Buffer =>
  Buffer.from(
    `${method} ${target} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
    'latin1',
  );
