import { z } from 'zod';
import { messengers, type Book, type Books, type Messenger } from './books.ts';
import type { Findings } from './findings.ts';
import { mergeByKey } from './merge.ts';
import { consumersOf } from './subscriptions.ts';

const eventRow = z.object({
  key: z.string(),
  tenant: z.string(),
  topic: z.string(),
  type: z.string(),
  subject: z.string(),
});
const outboxRow = eventRow.extend({ agrees: z.boolean() });
const inboxRow = eventRow.extend({ status: z.string(), attempts: z.number(), cause: z.string().nullable() });
type OutboxRow = z.infer<typeof outboxRow>;
type InboxRow = z.infer<typeof inboxRow>;

/** I8 between services: every row of an outbox is in the inbox of every subscriber, and no inbox holds another event. */
export async function checkEvents(findings: Findings, books: Books): Promise<void> {
  for (const producer of messengers) {
    const inbox = (consumer: Messenger) => inboxPages(books[consumer], producer);
    const merged = mergeByKey({
      outbox: outboxPages(books[producer], producer),
      orders: inbox('orders'),
      inventory: inbox('inventory'),
      payments: inbox('payments'),
      fulfillment: inbox('fulfillment'),
      products: inbox('products'),
    });
    for await (const { key, rows } of merged) {
      const { outbox, ...inboxes } = rows;
      checkEvent(findings, { key, producer, event: outbox[0], inboxes });
    }
  }
  await checkSources(findings, books);
}

interface Seen {
  readonly key: string;
  readonly producer: Messenger;
  readonly event: OutboxRow | undefined;
  readonly inboxes: Readonly<Record<Messenger, readonly InboxRow[]>>;
}

function checkEvent(findings: Findings, { key, producer, event, inboxes }: Seen): void {
  findings.checked('I8');
  const what = `${shortType(event?.type ?? '')} of ${event?.subject}`;
  const consumers = event && consumersOf(producer, event.topic);
  if (event && !consumers) findings.wrong('I8', key, `${what}: ${producer} has no topic ${event.topic}`);
  if (event?.agrees === false) findings.wrong('I8', key, `${what}: its envelope says otherwise than its row`);
  for (const consumer of messengers) {
    const row = inboxes[consumer][0];
    if (row) findings.checked('I8');
    const expected = consumers?.includes(consumer) === true;
    if (!event) {
      if (row)
        findings.wrong('I8', key, `${consumer} has it in its inbox, and ${producer} never said it (${nameOf(row)})`);
    } else if (!row) {
      if (expected) findings.wrong('I8', key, `${what}: ${consumer} has not heard of it`);
    } else if (!expected) {
      findings.wrong('I8', key, `${what}: ${consumer} has it in its inbox, and does not subscribe ${event.topic}`);
    } else {
      checkRow(findings, key, `${what} at ${consumer}`, row, event);
    }
  }
}

function checkRow(findings: Findings, key: string, what: string, row: InboxRow, event: OutboxRow): void {
  if (row.status !== 'handled' && row.status !== 'failed')
    findings.wrong('I8', key, `${what}: ${row.status} after ${row.attempts} attempts (${row.cause ?? 'no cause'})`);
  if (row.status === 'failed' && (row.cause ?? '').trim() === '')
    findings.wrong('I8', key, `${what}: failed, and its row says no cause`);
  for (const field of ['topic', 'type', 'subject'] as const) {
    if (row[field] !== event[field]) findings.wrong('I8', key, `${what}: ${field} is ${row[field]} there`);
  }
  findings.checked('I12');
  if (row.tenant !== event.tenant)
    findings.wrong('I12', key, `${what}: of ${event.tenant}, and kept as ${row.tenant}'s`);
}

/** Inbox rows from a source that is none of the services. */
async function checkSources(findings: Findings, books: Books): Promise<void> {
  const sources = messengers.map((service) => `'urn:sidecart:${service}'`).join(', ');
  for (const consumer of messengers) {
    const strange = await books[consumer].rows(
      z.object({ source: z.string(), id: z.string() }),
      `select source, id from inbox where source not in (${sources}) order by source, id limit 1000`,
    );
    for (const { source, id } of strange)
      findings.wrong('I8', id, `${consumer} has it from ${source}, which is no service`);
  }
}

const shortType = (type: string) => type.replace(/^com\.sidecart\.|\.v\d+$/g, '');
const nameOf = (row: InboxRow) => `${shortType(row.type)} of ${row.subject}`;

const outboxPages = (book: Book, producer: string) =>
  book.pages(
    outboxRow,
    `select id collate "C" as key, tenant, topic, type, subject,
            (envelope ->> 'id', envelope ->> 'tenant', envelope ->> 'topic', envelope ->> 'type', envelope ->> 'subject',
             envelope ->> 'source') is not distinct from (id, tenant, topic, type, subject, 'urn:sidecart:${producer}') as agrees
       from outbox order by 1`,
  );

const inboxPages = (book: Book, producer: string) =>
  book.pages(
    inboxRow,
    `select id collate "C" as key, tenant, topic, type, subject, status, attempts, cause
       from inbox where source = 'urn:sidecart:${producer}' order by 1`,
  );
