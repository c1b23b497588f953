import { setTimeout as delay } from 'node:timers/promises';

/** One event as a sidecar brings it. */
export interface Event {
  readonly id: string;
  readonly subject: string;
}

/** Delivers an event as the broker is pleased to, and resolves to what the app said first. */
export type Deliver = <Answer>(event: Event, send: () => Promise<Answer>) => Promise<Answer>;

/** Hands events to apps as the worst of brokers would. */
export interface Deliveries {
  /** Delivers an event one to five times, and resolves to what the app said first; fails if it was never reached. */
  readonly deliver: <Answer>(app: string, event: Event, send: () => Promise<Answer>) => Promise<Answer>;
  /** Resolves when no copy is on its way. */
  idle(): Promise<void>;
  /** What came, each event counted once a consumer, and how; `outOfOrderInAnOrder` is of one order's events at one app. */
  figures(): Record<
    'events' | 'deliveries' | 'duplicates' | 'outOfOrder' | 'outOfOrderInAnOrder' | 'repeatedByTheBroker',
    number
  >;
}

/** In this window all order is lost; it is short because the sidecar delivers only twenty at a time. */
const windowMs = 100;
/** Now and then one is held for so long that what was said later comes first, or catch-up fetches it. */
const heldMs = 2_000;
const oneHeldIn = 10;
/** The last copies come when the order has long moved on. */
const lateMs = 5_000;

/** `upTo` draws whole numbers below a count, one after another for each event in the order of its coming. */
export function createDeliveries(
  upTo: (count: number) => number,
  wait: (ms: number) => Promise<unknown> = (ms) => delay(ms),
): Deliveries {
  const seen = new Map<string, number>();
  const latest = new Map<string, number>();
  const delivered = new Set<string>();
  const underWay = new Set<Promise<unknown>>();
  const count = { arrivals: 0, deliveries: 0, outOfOrder: 0, outOfOrderInAnOrder: 0 };

  /** Notes a first delivery, and whether a younger event of the app, or of the same subject there, came before it. */
  function note(app: string, { id, subject }: Event): void {
    count.deliveries += 1;
    const name = `${app} ${id}`;
    if (delivered.has(name)) return;
    delivered.add(name);
    const number = seen.get(name) ?? 0;
    const overtaken = (what: string) => {
      const before = latest.get(what) ?? 0;
      latest.set(what, Math.max(before, number));
      return before > number;
    };
    if (overtaken(app)) count.outOfOrder += 1;
    if (overtaken(`${app} ${subject}`)) count.outOfOrderInAnOrder += 1;
  }

  return {
    async deliver(app, event, send) {
      const name = `${app} ${event.id}`;
      count.arrivals += 1;
      if (!seen.has(name)) seen.set(name, count.arrivals);
      const soon = () => upTo(windowMs);
      const first = upTo(oneHeldIn) === 0 ? heldMs : soon();
      const more = Array.from({ length: upTo(5) }, () => (upTo(2) === 0 ? soon() : upTo(lateMs)));
      const copies = [first, ...more].map(async (afterMs) => {
        await wait(afterMs);
        note(app, event);
        return send();
      });
      for (const copy of copies) {
        const ended = copy.catch(() => undefined).finally(() => underWay.delete(ended));
        underWay.add(ended);
      }
      return Promise.any(copies);
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    figures: () => ({
      events: seen.size,
      deliveries: count.deliveries,
      duplicates: count.deliveries - delivered.size,
      outOfOrder: count.outOfOrder,
      outOfOrderInAnOrder: count.outOfOrderInAnOrder,
      repeatedByTheBroker: count.arrivals - seen.size,
    }),
  };
}
