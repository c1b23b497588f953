import { z } from 'zod';

const list = z.array(z.unknown()).optional();
const size = z.number().optional();
const schema = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  ...{ const: z.unknown().optional(), enum: list, anyOf: list, oneOf: list, allOf: list },
  ...{ pattern: z.string().optional(), format: z.string().optional(), minLength: size, maxLength: size },
  ...{ minimum: size, maximum: size, exclusiveMinimum: size, exclusiveMaximum: size },
  ...{ items: z.unknown().optional(), minItems: size, maxItems: size },
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
});
/** What we read of a JSON Schema. */
export type Schema = z.infer<typeof schema>;

const parameter = z.looseObject({
  name: z.string(),
  in: z.enum(['path', 'query', 'header', 'cookie']),
  required: z.boolean().default(false),
  schema: z.unknown().optional(),
});
const content = z.record(z.string(), z.looseObject({ schema: z.unknown().optional() }));
const operation = z.looseObject({
  operationId: z.string(),
  parameters: z.array(z.unknown()).default([]),
  security: z.array(z.record(z.string(), z.unknown())).default([]),
  requestBody: z.looseObject({ required: z.boolean().default(false), content }).optional(),
  responses: z.record(z.string(), z.unknown()),
});
const answering = z.looseObject({ content: content.optional() });
const document = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), operation)) });

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required: boolean;
  readonly schema: Schema;
}

/** One operation of the API, as its document describes it. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  /** With its `{parameters}`. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly bodies: readonly { readonly type: string; readonly schema: Schema; readonly pointer: string }[];
  readonly bodyRequired: boolean;
  /** Whether it needs no token. */
  readonly open: boolean;
  /** Whether a token that is sent is looked at. */
  readonly takesToken: boolean;
  /** Whether it refuses a query that it does not know; OAuth's own operations pass over it (RFC 6749, 3.1). */
  readonly isStrict: boolean;
  /** Whether it answers people, who see what it takes. */
  readonly isPage: boolean;
}

export interface Api {
  readonly operations: readonly Operation[];
  /** A schema with its reference followed. */
  resolve(value: unknown): Schema;
}

/** Reads an OpenAPI document as far as requests can be made of it. */
export function readApi(text: unknown): Api {
  const root = document.parse(text);
  const parsed = new WeakMap<object, Schema>();

  function at(reference: string): unknown {
    let found: unknown = root;
    for (const part of reference.slice(2).split('/')) {
      const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      found = z.record(z.string(), z.unknown()).parse(found)[name];
    }
    return found;
  }
  function follow(value: unknown): unknown {
    const reference = z.object({ $ref: z.string() }).safeParse(value).data?.$ref;
    return reference === undefined ? value : follow(at(reference));
  }
  function resolve(value: unknown): Schema {
    const followed = follow(value ?? {});
    const known = typeof followed === 'object' && followed !== null ? parsed.get(followed) : undefined;
    if (known) return known;
    const made = schema.parse(followed);
    if (typeof followed === 'object' && followed !== null) parsed.set(followed, made);
    return made;
  }

  const operations = Object.entries(root.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters, security, requestBody, responses }]) => ({
      ...{ id: operationId, method: method.toUpperCase(), path },
      parameters: parameters.map((one) => {
        const found = parameter.parse(follow(one));
        return { ...found, schema: resolve(found.schema) };
      }),
      bodies: Object.entries(requestBody?.content ?? {}).map(([type, { schema: body }]) => ({
        ...{ type, schema: resolve(body) },
        pointer: `/paths/${path.replaceAll('/', '~1')}/${method}/requestBody/content/${type.replace('/', '~1')}/schema`,
      })),
      bodyRequired: requestBody?.required ?? false,
      open: security.length === 0 || security.some((one) => Object.keys(one).length === 0),
      takesToken: security.length > 0,
      isStrict: JSON.stringify(follow(responses['400']) ?? '').includes('"bad-query"'),
      isPage: Object.values(responses).some((one) => 'text/html' in (answering.parse(follow(one)).content ?? {})),
    })),
  );
  return { operations, resolve };
}
