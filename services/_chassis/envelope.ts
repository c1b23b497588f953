import { z } from 'zod';
import { continueTrace, currentContext } from './context.ts';
import { eventSource } from './contract.ts';
import { allTenants } from './tenancy.ts';
import { uuidv7 } from './uuid.ts';

// CloudEvents forbids control characters, and PostgreSQL cannot store all of them.
const text = z.string().regex(/^\P{Cc}{1,200}$/u);

/** CloudEvents 1.0 as Sidecart sends it; readers take the fields they need and pass over the rest. */
export const envelope = z.object({
  specversion: z.literal('1.0'),
  id: text,
  source: z.string().regex(/^urn:sidecart:[a-z-]+$/),
  type: text,
  subject: text,
  tenant: text.refine((name) => name !== allTenants),
  time: z.string(),
  topic: text,
  traceparent: z.string().optional(),
  data: z.unknown(),
});
export type Envelope = z.infer<typeof envelope>;

/** An envelope for an event of `service`, under the trace of the current call; throws on one that nobody could read. */
export function createEnvelope(
  service: string,
  event: { type: string; topic: string; subject: string; tenant: string; data: unknown },
): Envelope {
  return envelope.parse({
    specversion: '1.0',
    id: uuidv7(),
    source: eventSource(service),
    type: event.type,
    subject: event.subject,
    tenant: event.tenant,
    time: new Date().toISOString(),
    topic: event.topic,
    traceparent: currentContext()?.traceparent ?? continueTrace(undefined),
    data: event.data,
  });
}

/**
 * The envelope as the broker gets it. daprd overwrites `traceparent` unless `traceid` is there as well, and writes the
 * topic itself.
 */
export const toWire = (event: Envelope) => ({
  ...event,
  datacontenttype: 'application/json',
  traceid: event.traceparent,
});
