import { describe, expect, it } from 'vitest';
import { withContext } from './context.ts';
import { createEnvelope, envelope, toWire } from './envelope.ts';

const fields = {
  type: 'com.sidecart.things.thing.kept.v1',
  topic: 'things.events',
  subject: '1',
  tenant: 'main',
  data: { n: 1 },
};
const made = createEnvelope('things', fields);

describe('an envelope', () => {
  it('when it was made here, everybody can read it, also as the broker gives it back', () => {
    const asDelivered = {
      ...(JSON.parse(JSON.stringify(toWire(made))) as object),
      pubsubname: 'pubsub',
      tracestate: '',
    };
    expect(envelope.parse(asDelivered)).toEqual(made);
  });

  it('when it is made in a call, it belongs to its trace, and the broker is told so twice', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const inCall = withContext({ requestId: 'r', traceparent }, () => createEnvelope('things', fields));
    expect(toWire(inCall)).toMatchObject({ traceparent, traceid: traceparent });
  });

  it.each([
    ['no subject', { subject: '' }],
    ['a subject that PostgreSQL cannot store', { subject: 'a\0b' }],
    ['a line break in its type', { type: 'a\nb' }],
    ['an endless subject', { subject: 'x'.repeat(201) }],
    ['no tenant', { tenant: undefined }],
    ['a foreign source', { source: 'urn:other:things' }],
    ['another version', { specversion: '0.3' }],
    ['no id', { id: '' }],
  ])('when it has %s, it is not readable', (_name, wrong) => {
    expect(envelope.safeParse({ ...made, ...wrong }).success).toBe(false);
  });

  it('when nobody could read it, it is not made', () => {
    expect(() => createEnvelope('things', { ...fields, subject: '' })).toThrow();
  });
});
