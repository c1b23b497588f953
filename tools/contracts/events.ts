import { z } from 'zod';
import { eventSource, type Contract, type EventDefinition } from '../../services/_chassis/contract.ts';
import { envelope } from '../../services/_chassis/envelope.ts';

/** An event of a contract, and who says it. */
export interface Event extends EventDefinition {
  readonly name: string;
  readonly producer: string;
}

export const eventsOf = ({ service, events }: Contract): Event[] =>
  Object.entries(events).map(([name, event]) => ({ name, producer: service, ...event }));

/** Where the schema of an event lies among the documents. */
export const eventFile = ({ type }: Pick<Event, 'type'>) => `events/${type}.json`;

/** A JSON Schema of the whole event as it is stored and delivered: the envelope, and its data. */
export function describeEvent({ name, producer, type, topic, data }: Event) {
  const whole = envelope.extend({
    source: z.literal(eventSource(producer)),
    type: z.literal(type),
    topic: z.literal(topic),
    subject: envelope.shape.subject.describe('What it is about: the id of the order or product.'),
    time: z.string().meta({ format: 'date-time' }),
    data,
  });
  const { $schema, ...schema } = z.toJSONSchema(whole, { io: 'input' });
  return { $schema, $id: `urn:sidecart:event:${type}`, title: name, ...schema };
}
