import asyncapi from '@asyncapi/specs/schemas/3.0.0.json' with { type: 'json' };
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { contractsFolder, handWritten, makeDocuments } from './documents.ts';

let made: Map<string, string>;
beforeAll(async () => void (made = await makeDocuments()));

const json = (path: string): object => JSON.parse(made.get(path) ?? '') as object;
const named = (pattern: RegExp) => [...made.keys()].filter((path) => pattern.test(path));

describe('contracts/', { timeout: 60_000 }, () => {
  it('when a contract has changed, holds what `make contracts` writes, and nothing else', async () => {
    const entries = await readdir(contractsFolder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(contractsFolder.length + 1));
    expect(files.filter((file) => !handWritten.includes(file)).sort()).toEqual([...made.keys()].sort());
    for (const [path, text] of made) {
      expect(await readFile(join(contractsFolder, path), 'utf8'), `stale: ${path}; \`make contracts\``).toBe(text);
    }
  });

  it('when read by a program, its OpenAPI documents are valid 3.1', async () => {
    const paths = named(/openapi\.json$/);
    expect(paths).toContain('openapi.json');
    const validator = new Validator(); // it compiles the official schema, once
    for (const path of paths) {
      const { valid, errors } = await validator.validate(made.get(path) ?? '');
      expect([path, validator.version, valid, errors]).toEqual([path, '3.1', true, undefined]);
    }
  });

  it('when read by a program, the topics are a valid AsyncAPI 3.0 document', () => {
    const validate = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
    expect([validate.validate(asyncapi, json('asyncapi.json')), validate.errors]).toEqual([true, null]);
  });

  it('when one part refers to another, it is there', () => {
    for (const path of named(/api\.json$/)) {
      for (const [, target = ''] of (made.get(path) ?? '').matchAll(/"\$ref": "([^"]+)"/g)) {
        if (target.startsWith('./')) expect([...made.keys()]).toContain(target.slice(2));
        else expect(at(json(path), target.slice(2).split('/')), `${target} in ${path}`).toBeDefined();
      }
    }
  });

  it('when read by a program, the events are valid JSON Schema 2020-12', () => {
    const ajv = new Ajv2020({ validateFormats: false });
    const paths = named(/^events\//);
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) expect([path, ajv.validateSchema(json(path))]).toEqual([path, true]);
  });
});

function at(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined || typeof value !== 'object' || value === null) return value;
  return at(new Map(Object.entries(value)).get(name), rest);
}
