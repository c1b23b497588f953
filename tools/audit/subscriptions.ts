import type { Messenger } from './books.ts';

/** Who consumes a topic of whom. A test compares this with what the services subscribe to. */
export interface Topic {
  readonly producer: Messenger;
  readonly topic: string;
  readonly consumers: readonly Messenger[];
}

/** All topics. Nobody consumes `orders.events` yet: it is there for services still to come. */
export const topics: readonly Topic[] = [
  { producer: 'orders', topic: 'inventory.requests', consumers: ['inventory'] },
  { producer: 'orders', topic: 'payments.requests', consumers: ['payments'] },
  { producer: 'orders', topic: 'fulfillment.requests', consumers: ['fulfillment'] },
  { producer: 'orders', topic: 'orders.events', consumers: [] },
  { producer: 'inventory', topic: 'inventory.events', consumers: ['orders'] },
  { producer: 'payments', topic: 'payments.events', consumers: ['orders'] },
  { producer: 'fulfillment', topic: 'fulfillment.events', consumers: ['orders', 'inventory'] },
  { producer: 'products', topic: 'products.events', consumers: ['orders'] },
];

/** Who must hear what this producer says on this topic; undefined for a topic that it does not have. */
export const consumersOf = (producer: Messenger, topic: string): readonly Messenger[] | undefined =>
  topics.find((one) => one.producer === producer && one.topic === topic)?.consumers;
