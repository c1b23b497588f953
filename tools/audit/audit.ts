import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { checkAcknowledged } from './acknowledged.ts';
import { openBooks, type Books, type Databases } from './books.ts';
import { checkCaches } from './caches.ts';
import { readClientLog, type ClientLogLine } from './client-log.ts';
import { readClientSide, type ClientSide } from './clients.ts';
import { checkOrderCopies, checkPrices, type Catalog } from './copies.ts';
import { dossiers, type Dossier } from './dossier.ts';
import { describeOpen, isDrained, openWork, type OpenWork } from './drain.ts';
import { checkEvents } from './events.ts';
import { createFindings, type Finding, type Findings } from './findings.ts';
import { createMoneyCheck } from './money.ts';
import { checkOrder } from './orders.ts';
import { checkSaid } from './said.ts';
import { checkShipment, checkWithdrawal } from './shipments.ts';
import { checkReservation, checkStock } from './stock.ts';
import { checkTenants } from './tenants.ts';

/** What is audited, and what helps. */
export interface AuditOptions {
  readonly databases: Databases;
  /** What clients were told: a file of one JSON line an answer, or the lines. */
  readonly clientLog?: string | AsyncIterable<ClientLogLine> | undefined;
  /** How long to wait until nothing is under way, in milliseconds; a minute by default. */
  readonly drainTimeoutMs?: number;
  /** What a consumer of orders.events counted, by order; asked for once nothing is under way. */
  readonly counters?: (() => Promise<ReadonlyMap<string, number>>) | undefined;
  /** The gateway's URL, through which the product cache is read. */
  readonly gateway?: string | undefined;
  /** Told of what is waited for and how far the reading is. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What an audit found; `clean` when nothing is wrong. */
export interface AuditReport {
  readonly clean: boolean;
  readonly drained: boolean;
  /** What was still under way, as lines for a person. */
  readonly open: readonly string[];
  readonly waitedMs: number;
  readonly orders: number;
  readonly findings: readonly Finding[];
  /** What a person should know, though it breaks nothing. */
  readonly notes: readonly string[];
}

/** Waits until nothing is under way, within its bound, then holds every invariant against all books and the client log. */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const { databases, clientLog, drainTimeoutMs = 60_000, gateway, onProgress = () => undefined } = options;
  const findings = createFindings();
  const lines = typeof clientLog === 'string' ? readClientLog(clientLog) : clientLog;
  const clients = lines && (await readClientSide(findings, lines));
  const started = performance.now();
  const { books, open } = await drainedBooks(databases, drainTimeoutMs, onProgress);
  try {
    const waitedMs = Math.round(performance.now() - started);
    reportOpen(findings, open);
    const catalog = await checkPrices(findings, books);
    const counted = await options.counters?.();
    const orders = await checkDossiers(findings, books, { clients, counted, onProgress });
    onProgress('comparing outboxes with inboxes');
    await checkStock(findings, books);
    await checkEvents(findings, books);
    if (clients) checkClients(findings, clients, catalog);
    else findings.skipped('I11', 'no client log');
    if (!counted) findings.skipped('I14', 'no counting consumer');
    const notes = await deadLetters(books);
    if (!books.steady) notes.push('the mesh was at work while it was audited: what looks wrong may be under way');
    const unread =
      gateway === undefined
        ? 0
        : await checkCaches(findings, { ...books, users: books.messengers.get('users') }, gateway);
    if (unread > 0) notes.push(`${unread} products or people could not be read through the gateway`);
    const all = findings.all();
    const clean = all.every(({ count }) => count === 0);
    return { clean, drained: isDrained(open), open: describeOpen(open), waitedMs, orders, findings: all, notes };
  } finally {
    await books.close();
  }
}

/** The books of the first moment at which nothing is under way; when there is none in time, those of the last look. */
async function drainedBooks(
  databases: Databases,
  timeoutMs: number,
  onProgress: (text: string) => void,
): Promise<{ books: Books; open: OpenWork }> {
  const started = performance.now();
  for (;;) {
    const looked = performance.now();
    const books = await openBooks(databases);
    const open = await openWork(books).catch(async (error: unknown) => {
      await books.close();
      throw error;
    });
    const now = performance.now();
    if ((isDrained(open) && books.steady) || now - started >= timeoutMs) return { books, open };
    await books.close();
    const seconds = Math.round((now - started) / 1_000);
    onProgress(`waiting for the end (${seconds} s): ${describeOpen(open).join('; ') || 'something was just said'}`);
    // Counting a large mesh takes a while; it is not to be kept busy with being counted.
    await delay(Math.max(0, Math.min(Math.max(250, 3 * (now - looked)), started + timeoutMs - now)));
  }
}

function reportOpen(findings: Findings, { orders, questions, events }: OpenWork): void {
  for (const { what, count } of orders) findings.wrong('I2', 'not drained', `${count} orders are ${what}`);
  for (const { what, count } of questions)
    findings.wrong('I2', 'not drained', `${count} payments are ${what}: the bank has not answered`);
  for (const { what, count } of events)
    findings.wrong('I8', 'not drained', `${count} events of ${what} are not handled`);
}

async function checkDossiers(
  findings: Findings,
  books: Books,
  options: {
    clients: ClientSide | undefined;
    counted: ReadonlyMap<string, number> | undefined;
    onProgress: (text: string) => void;
  },
): Promise<number> {
  const { clients, counted, onProgress } = options;
  const money = createMoneyCheck(findings);
  const untold = new Set(clients?.orderIds());
  let seen = 0;
  for await (const dossier of dossiers(books)) {
    checkOrder(findings, dossier);
    checkSaid(findings, dossier);
    money.check(dossier);
    checkReservation(findings, dossier);
    checkShipment(findings, dossier);
    checkWithdrawal(findings, dossier);
    checkTenants(findings, dossier);
    checkOrderCopies(findings, dossier);
    checkAcknowledged(findings, dossier, clients?.told(dossier.id) ?? []);
    if (counted) checkCounted(findings, dossier, counted.get(dossier.id));
    untold.delete(dossier.id);
    if (dossier.orders.length > 0 && ++seen % 10_000 === 0) onProgress(`${seen} orders read`);
  }
  money.finish();
  for (const id of untold) {
    const by = clients?.told(id).map((told) => `${told.client} (${told.by})`);
    findings.wrong('I1', id, `${by?.join(', ')} was told of it, and no book knows it`);
  }
  return seen;
}

/** I14: who counts one for each event of an order has counted its version. */
function checkCounted(findings: Findings, { id, orders: [order] }: Dossier, counted = 0): void {
  findings.checked('I14');
  if (counted !== (order?.version ?? 0))
    findings.wrong('I14', id, `counted ${counted} events, its version is ${order?.version ?? 'none'}`);
}

function checkClients(findings: Findings, clients: ClientSide, { retired }: Catalog): void {
  clients.finish((id) => [...retired].some(([name, is]) => is && name.endsWith(`/${id}`)));
  for (const [id, tenants] of clients.products) {
    for (const tenant of tenants) {
      findings.checked('I12');
      if (!retired.has(`${tenant}/${id}`))
        findings.wrong('I12', `product ${id}`, `was shown to tenant ${tenant}, and is not in its catalog`);
    }
  }
}

/** Failed inbox rows break nothing by themselves (I8 asks for a cause), but a person has to look at them. */
async function deadLetters(books: Books): Promise<string[]> {
  const notes: string[] = [];
  for (const [service, book] of books.messengers) {
    const [row] = await book.rows(
      z.object({ count: z.number() }),
      `select count(*)::int as count from inbox where status = 'failed'`,
    );
    if (row && row.count > 0) notes.push(`${service} has ${row.count} failed events: \`make redrive\` shows them`);
  }
  return notes;
}
