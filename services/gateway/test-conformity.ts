import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const published = new URL('../../contracts/openapi.json', import.meta.url);
const operation = z.object({ operationId: z.string(), responses: z.record(z.string(), z.unknown()) });
const openapi = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), operation)) });

/** An answer of the public API. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Parsed; empty where there was none. */
  readonly body: unknown;
}

/** Gives the operation an answer belongs to, where there is one, and what about it the document does not say. */
export type Conformity = (seen: Seen) => { operation: string | undefined; problem: string | undefined };

/** Reads contracts/openapi.json to hold answers against it, strictly: a field that it does not name is not there. */
export async function readConformity(): Promise<Conformity> {
  const text = await readFile(published, 'utf8');
  const document = openapi.parse(closed(JSON.parse(text)));
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, 'api');
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, responses }]) => ({
      ...{ method: method.toUpperCase(), operationId, responses },
      pointer: `/paths/${path.replaceAll('/', '~1')}/${method}/responses`,
      pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
    })),
  );

  /** Where the schema of a response lies; undefined where it has no body. */
  function schemaAt(response: unknown, pointer: string): string | undefined {
    const { $ref, content } = z
      .object({ $ref: z.string().optional(), content: z.object({}).loose().optional() })
      .parse(response);
    if ($ref !== undefined) {
      const name = $ref.slice('#/components/responses/'.length);
      return `api#/components/responses/${name}/content/application~1problem+json/schema`;
    }
    const [type] = Object.keys(content ?? {});
    return type === undefined ? undefined : `api#${encodeURI(pointer)}/content/${type.replace('/', '~1')}/schema`;
  }

  return ({ method, path, status, body }) => {
    const found = operations.find((one) => one.method === method && one.pattern.test(path.split('?')[0] ?? ''));
    // Where there is no such path or method, or no path could be read, every answer is a problem.
    const response = found ? found.responses[status] : {};
    if (response === undefined) return { operation: found?.operationId, problem: `${status} is not documented` };
    const reference = found ? schemaAt(response, `${found.pointer}/${status}`) : 'api#/components/schemas/Problem';
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
