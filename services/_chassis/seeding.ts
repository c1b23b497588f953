import type { ClientBase } from 'pg';
import { eventSource } from './contract.ts';

/** An event of the past, as a seed tells it; `id` is fixed so that producer and consumers seed the same one. */
export interface PastEvent {
  readonly id: string;
  /** Its producer. */
  readonly service: string;
  readonly topic: string;
  readonly type: string;
  readonly subject: string;
  readonly tenant: string;
  readonly at: Date;
  readonly data?: unknown;
}

/** Puts events of the past into their producer's outbox, in this order; those that are there stay as they are. */
export async function seedOutbox(client: ClientBase, events: readonly PastEvent[]): Promise<void> {
  const rows = events.map(({ service, at, ...event }) => ({
    specversion: '1.0',
    source: eventSource(service),
    time: at.toISOString(),
    ...event,
  }));
  await client.query(
    `insert into outbox (id, tenant, topic, type, subject, envelope, created_at)
     select e ->> 'id', e ->> 'tenant', e ->> 'topic', e ->> 'type', e ->> 'subject', e, (e ->> 'time')::timestamptz
       from json_array_elements($1::json) with ordinality as list (e, n) order by n
     on conflict (id) do nothing`,
    [JSON.stringify(rows)],
  );
}

/** Puts events of the past into a consumer's inbox as handled; those that are there stay as they are. */
export async function seedInbox(client: ClientBase, events: readonly PastEvent[]): Promise<void> {
  await client.query(
    `insert into inbox (source, id, tenant, topic, type, subject, status, received_at)
     select e ->> 'source', e ->> 'id', e ->> 'tenant', e ->> 'topic', e ->> 'type', e ->> 'subject', 'handled',
            (e ->> 'at')::timestamptz
       from json_array_elements($1::json) as list (e)
     on conflict (source, id) do nothing`,
    [JSON.stringify(events.map((event) => ({ ...event, source: eventSource(event.service) })))],
  );
}
