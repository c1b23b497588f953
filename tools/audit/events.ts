import { z } from 'zod';
import type { Book, Books } from './books.ts';
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
  const messengers = [...books.messengers.keys()];
  for (const [producer, book] of books.messengers) {
    const inboxes = [...books.messengers].map(([consumer, inbox]) => [consumer, inboxPages(inbox, producer)] as const);
    const merged = mergeByKey({
      outbox: outboxPages(book, producer),
      inboxes: sideBySide(mergeByKey(Object.fromEntries(inboxes))),
    });
    for await (const { key, rows } of merged)
      checkEvent(findings, { key, producer, messengers, event: rows.outbox[0], inboxes: rows.inboxes[0]?.rows ?? {} });
  }
  await checkSources(findings, books);
}

interface Seen {
  readonly key: string;
  readonly producer: string;
  readonly messengers: readonly string[];
  readonly event: OutboxRow | undefined;
  /** What each consumer's inbox holds of it. */
  readonly inboxes: Readonly<Record<string, readonly InboxRow[]>>;
}

type Merged = Pick<Seen, 'key'> & { readonly rows: Seen['inboxes'] };
const mergedPage = 500;

/** All inboxes as one stream to be merged again, in pages. */
async function* sideBySide(merged: AsyncIterable<Merged>): AsyncGenerator<Merged[]> {
  let page: Merged[] = [];
  for await (const one of merged) {
    if (page.push(one) < mergedPage) continue;
    yield page;
    page = [];
  }
  yield page;
}

function checkEvent(findings: Findings, { key, producer, messengers, event, inboxes }: Seen): void {
  findings.checked('I8');
  const what = `${shortType(event?.type ?? '')} of ${event?.subject}`;
  const consumers = event && consumersOf(producer, event.topic);
  if (event && !consumers) findings.wrong('I8', key, `${what}: ${producer} has no topic ${event.topic}`);
  if (event?.agrees === false) findings.wrong('I8', key, `${what}: its envelope says otherwise than its row`);
  for (const consumer of messengers) {
    const row = inboxes[consumer]?.[0];
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
  const sources = [...books.messengers.keys()].map((service) => `'urn:sidecart:${service}'`).join(', ');
  for (const [consumer, book] of books.messengers) {
    const strange = await book.rows(
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
