import { createHash } from 'node:crypto';
import { z } from 'zod';
import { order } from '../../services/orders/contract.ts';
import { product } from '../../services/products/contract.ts';
import type { Told } from './acknowledged.ts';
import type { ClientLogLine } from './client-log.ts';
import type { Findings } from './findings.ts';
import { createKeyCheck, unquoted } from './keys.ts';
import { createReadCheck } from './reads.ts';

/** What clients were told, by order, and what that alone shows. */
export interface ClientSide {
  told(orderId: string): readonly Told[];
  /** Orders that clients were told of. */
  orderIds(): Iterable<string>;
  /** Tenants that were shown a product, by its id. */
  readonly products: ReadonlyMap<string, ReadonlySet<string>>;
  /** Checks reads against writes; a retired product may be absent. */
  finish(isRetired: (productId: string) => boolean): void;
}

const list = z.object({ items: z.array(z.unknown()) });
const orderPath = /^\/api\/orders(?:\/([^/?]+))?(\/cancellation)?(?:\?|$)/;
const productPath = /^\/api\/products(?:\/([^/?]+))?(?:\?|$)/;

/** Reads a client log once and keeps of it what the checks need; I7 within the log is checked on the way. */
export async function readClientSide(findings: Findings, lines: AsyncIterable<ClientLogLine>): Promise<ClientSide> {
  const orders = new Map<string, Map<string, Told>>();
  const products = new Map<string, Set<string>>();
  const keys = createKeyCheck(findings);
  const reads = createReadCheck(findings);

  const tell = (line: ClientLogLine, body: unknown, acknowledges: 'placement' | 'change' | undefined) => {
    const { client, tenant, method, path, status, at, sentAt } = line;
    const parsed = order.safeParse(body);
    if (!parsed.success) {
      if (acknowledges)
        findings.wrong('I1', `${method} ${path}`, `answered ${client} ${status} with no readable order`);
      return;
    }
    const { id, version } = parsed.data;
    const key = acknowledges === 'placement' && line.key !== undefined ? unquoted(line.key) : undefined;
    const told = { tenant, client, by: `${method} ${path}`, key, order: parsed.data };
    const known = orders.get(id) ?? new Map<string, Told>();
    orders.set(id, known);
    // What was told a hundred times is one fact.
    const said = createHash('sha1').update(JSON.stringify(parsed.data)).digest('base64');
    known.set(`${tenant}/${client}/${key}/${said}`, told);
    const subject = { kind: 'order', id, client } as const;
    if (acknowledges) reads.wrote(subject, { at, version });
    else reads.read(subject, { sentAt, version });
  };

  const show = (line: ClientLogLine, body: unknown, wrote: boolean) => {
    const parsed = product.safeParse(body);
    if (!parsed.success) return;
    const { id, version } = parsed.data;
    const tenants = products.get(id) ?? new Set();
    products.set(id, tenants.add(line.tenant));
    const subject = { kind: 'product', id, client: line.client } as const;
    if (wrote) reads.wrote(subject, { at: line.at, version });
    else reads.read(subject, { sentAt: line.sentAt, version });
  };

  const absent = (line: ClientLogLine, kind: 'order' | 'product', id: string) =>
    reads.read({ kind, id, client: line.client }, { sentAt: line.sentAt, version: undefined });

  for await (const line of lines) {
    keys.look(line);
    const { method, path, status, body, at, client } = line;
    const ok = status >= 200 && status < 300;
    const [, orderId, cancellation] = orderPath.exec(path) ?? [];
    const [, productId] = productPath.exec(path) ?? [];
    if (orderPath.test(path)) {
      if (ok && method === 'POST') tell(line, body, cancellation === undefined ? 'placement' : 'change');
      else if (ok && orderId !== undefined) tell(line, body, undefined);
      else if (ok) for (const item of list.safeParse(body).data?.items ?? []) tell(line, item, undefined);
      else if (status === 404 && method === 'GET' && orderId !== undefined) absent(line, 'order', orderId);
    } else if (productPath.test(path)) {
      if (ok && method === 'DELETE' && productId !== undefined)
        reads.wrote({ kind: 'product', id: productId, client }, { at, version: undefined });
      else if (ok && (method === 'POST' || method === 'PATCH')) show(line, body, true);
      else if (ok && productId !== undefined) show(line, body, false);
      else if (ok) for (const item of list.safeParse(body).data?.items ?? []) show(line, item, false);
      else if (status === 404 && method === 'GET' && productId !== undefined) absent(line, 'product', productId);
    }
  }

  return {
    told: (id) => [...(orders.get(id)?.values() ?? [])],
    orderIds: () => orders.keys(),
    products,
    finish: (isRetired) => reads.finish(isRetired),
  };
}
