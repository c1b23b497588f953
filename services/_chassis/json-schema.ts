import { z } from 'zod';

/** JSON Schema 2020-12, as OpenAPI 3.1 and AsyncAPI 3.0 take it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Schemas that get a name in a document, each with what JSON Schema cannot say of it. */
export type Named = Readonly<Record<string, { readonly schema: z.ZodType; readonly description?: string }>>;

/**
 * Turns zod schemas into JSON Schema. Where one with a name occurs it is referred to, and put among the components.
 * Objects stay open, because readers pass over fields they don't know; only a strict object says that it is closed.
 */
export function createComponents(named: Named) {
  const registry = z.registry<{ id: string; description?: string }>();
  for (const [id, { schema, ...more }] of Object.entries(named)) registry.add(schema, { id, ...more });
  const schemas: Record<string, JsonSchema> = {};

  /** `output` describes what a schema makes of its input, where the two differ. */
  function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'input'): JsonSchema {
    const { $schema: _, $defs = {}, ...rest } = z.toJSONSchema(schema, { io, metadata: registry, override: tidy });
    for (const [id, component] of Object.entries($defs)) schemas[id] = moved(component);
    return moved(rest);
  }
  return { schemaOf, schemas };
}

/** Every integer is one that JavaScript holds exactly; that is no limit worth a line. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

const moved = (schema: object): JsonSchema =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonSchema;
