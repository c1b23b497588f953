import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { grpcThingsContract, thingsContract } from '../../services/_chassis/test-support/things.ts';
import { repository } from '../mesh/home.ts';
import { describeAccess, makeAccess, storedAccess } from './access.ts';

const operation = z.strictObject({
  name: z.string(),
  httpVerb: z.array(z.string()).optional(),
  action: z.literal('allow'),
});
const policy = z.strictObject({
  appId: z.string(),
  defaultAction: z.literal('deny'),
  trustDomain: z.literal('public'),
  namespace: z.literal('default'),
  operations: z.array(operation).min(1),
});
const accessControl = z.strictObject({
  defaultAction: z.literal('deny'),
  trustDomain: z.literal('public'),
  policies: z.array(policy),
});
const configuration = z.looseObject({ spec: z.looseObject({ accessControl }) });

const shared = `
kind: Configuration
spec:
  mtls: { enabled: true }
  accessControl: { defaultAction: deny, trustDomain: public, policies: [] }
`;
const policiesOf = (contract: typeof thingsContract | typeof grpcThingsContract) =>
  configuration.parse(parse(describeAccess(shared, contract))).spec.accessControl.policies;

describe('dapr-config/access/', () => {
  it('when a contract or the shared Configuration has changed, holds what `make contracts` writes, and nothing else', async () => {
    const made = await makeAccess();
    expect((await storedAccess()).sort()).toEqual([...made.keys()].sort());
    for (const [path, text] of made)
      expect(await readFile(join(repository, path), 'utf8'), `stale: ${path}; \`make contracts\``).toBe(text);
  });
});

describe('the shared Configuration', () => {
  it('when a sidecar has no other, lets nobody call its app', async () => {
    const text = await readFile(join(repository, 'dapr-config/config.yaml'), 'utf8');
    expect(configuration.parse(parse(text)).spec.accessControl.policies).toEqual([]);
  });
});

describe('describeAccess', () => {
  it('when a contract speaks HTTP, allows POST of each method to the callers that it lists', () => {
    const methods = {
      ...thingsContract.methods,
      keepThing: { ...thingsContract.methods.keepThing, callers: ['gateway', 'orders'] },
    };
    const policies = configuration.parse(parse(describeAccess(shared, { ...thingsContract, methods }))).spec
      .accessControl.policies;
    const named = policies.map(({ appId, operations }) => [appId, operations.map(({ name }) => name)]);
    expect(named).toEqual([
      ['gateway', ['/getHealth', '/getThing', '/keepThing']],
      ['orders', ['/keepThing']],
    ]);
    expect(policies.flatMap(({ operations }) => operations.flatMap(({ httpVerb = [] }) => httpVerb))).toEqual(
      Array.from({ length: 4 }, () => 'POST'),
    );
  });

  it('when a contract speaks gRPC, allows the full names of its rpcs', () => {
    const [{ operations } = { operations: [] }] = policiesOf(grpcThingsContract);
    expect(operations.map(({ name, httpVerb }) => [name, httpVerb])).toContainEqual([
      '/sidecart.test.v1.Things/GetThing',
      undefined,
    ]);
  });

  it('when all else is shared, keeps it', () => {
    expect(parse(describeAccess(shared, thingsContract))).toMatchObject({ spec: { mtls: { enabled: true } } });
  });
});
