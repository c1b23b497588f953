import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const published = new URL('../../contracts/openapi.json', import.meta.url);
const operation = z.object({ operationId: z.string(), responses: z.record(z.string(), z.unknown()) });
const referring = z.object({ $ref: z.string().optional(), content: z.record(z.string(), z.unknown()).optional() });
const openapi = z.looseObject({
  components: z.looseObject({ responses: z.record(z.string(), z.unknown()) }),
  paths: z.record(z.string(), z.record(z.string(), operation)),
});

/** An answer of the public API. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Parsed; empty where there was none. */
  readonly body: unknown;
  /** `Content-Type`, where that is to be looked at, too. */
  readonly type?: string;
}

/** Gives the operation an answer belongs to, where there is one, and what about it the document does not say. */
export type Conformity = (seen: Seen) => { operation: string | undefined; problem: string | undefined };

/** Reads contracts/openapi.json to hold answers against it. */
export const readConformity = async (): Promise<Conformity> =>
  conformityTo(JSON.parse(await readFile(published, 'utf8')));

/** Holds answers against an OpenAPI document, strictly: a field that it does not name is not there. */
export function conformityTo(description: unknown): Conformity {
  const document = openapi.parse(closed(description));
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, 'api');
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, responses }]) => ({
      ...{ method: method.toUpperCase(), operationId, responses },
      pointer: `/paths/${path.replaceAll('/', '~1')}/${method}/responses`,
      pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
    })),
  );

  /** Where the schema of a response lies, of that type or its only one; undefined where it has no body. */
  function schemaAt(response: unknown, pointer: string, type?: string): string | undefined {
    const { $ref, content = {} } = referring.parse(response);
    if ($ref !== undefined) {
      const name = $ref.slice('#/components/responses/'.length);
      return schemaAt(document.components.responses[name], `/components/responses/${name}`, type);
    }
    const [first] = Object.keys(content);
    const own = type !== undefined && Object.hasOwn(content, type) ? type : first;
    return own === undefined ? undefined : `api#${encodeURI(pointer)}/content/${own.replace('/', '~1')}/schema`;
  }

  return ({ method, path, status, body, type }) => {
    const found = operations.find((one) => one.method === method && one.pattern.test(path.split('?')[0] ?? ''));
    // Where there is no such path or method, or no path could be read, every answer is a problem.
    const response = found ? found.responses[status] : {};
    if (response === undefined) return { operation: found?.operationId, problem: `${status} is not documented` };
    const bare = type?.split(';')[0]?.trim();
    const reference = found
      ? schemaAt(response, `${found.pointer}/${status}`, bare)
      : 'api#/components/schemas/Problem';
    if (bare !== undefined && reference !== undefined) {
      const wanted = found ? reference : '/content/application~1problem+json/schema';
      if (!wanted.endsWith(`/content/${bare.replace('/', '~1')}/schema`))
        return { operation: found?.operationId, problem: `a body of type ${bare}` };
    }
    if (reference === undefined) {
      const problem = body === '' ? undefined : 'a body where none is documented';
      return { operation: found?.operationId, problem };
    }
    const validate = ajv.getSchema(reference);
    if (!validate) throw new Error(`no schema at ${reference}`);
    return { operation: found?.operationId, problem: validate(body) ? undefined : ajv.errorsText(validate.errors) };
  };
}

/** The document with every object closed that says which fields it has; a problem is closed where it is referred to. */
function closed(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => closed(one));
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one, key)]));
  const open =
    name === 'Problem' || name === 'properties' || !('properties' in inner) || 'additionalProperties' in inner;
  return open ? inner : { ...inner, unevaluatedProperties: false };
}
