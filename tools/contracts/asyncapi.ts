import { topics } from '../audit/subscriptions.ts';
import { eventFile, type Event } from './events.ts';

const schemaFormat = 'application/schema+json;version=draft-2020-12';
const isOf =
  ({ producer, topic }: { producer: string; topic: string }) =>
  (event: Event) =>
    event.producer === producer && event.topic === topic;

/** All topics as an AsyncAPI 3.0 document: who says what, who hears it, and what delivery promises. */
export function describeTopics(events: readonly Event[]) {
  const consumers = [...new Set(topics.flatMap((topic) => topic.consumers))].sort();
  const channels = topics.map((topic) => [topic.topic, channel(topic, events)] as const);
  const deadLetters = consumers.map((service) => [`${service}.dead-letters`, deadLetterChannel(service)] as const);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Sidecart',
      version: '1',
      description:
        'Events go through the Dapr component `pubsub` as CloudEvents 1.0. It only makes them quick: the log is the ' +
        "producer's outbox, which it shows by listEvents and readEvents. The broker may lose, repeat and reorder them.",
    },
    defaultContentType: 'application/cloudevents+json',
    servers: {
      sidecar: {
        host: '127.0.0.1:{port}',
        protocol: 'http',
        description: "One's own Dapr sidecar, pub/sub component `pubsub`.",
        variables: { port: { default: '3500', description: 'DAPR_HTTP_PORT' } },
      },
    },
    channels: Object.fromEntries([...channels, ...deadLetters]),
    operations: Object.fromEntries(topics.flatMap((topic) => operations(topic, events))),
    components: {
      messages: Object.fromEntries(events.map((event) => [event.name, message(event)])),
    },
  };
}

type Topic = (typeof topics)[number];

const ref = (...path: string[]) => ({ $ref: `#/${path.join('/')}` });

const channel = (topic: Topic, events: readonly Event[]) => ({
  address: topic.topic,
  title: `What ${topic.producer} says on ${topic.topic}`,
  messages: Object.fromEntries(
    events.filter(isOf(topic)).map(({ name }) => [name, ref('components', 'messages', name)]),
  ),
});

const message = (event: Event) => ({
  name: event.type,
  contentType: 'application/cloudevents+json',
  payload: { schemaFormat, schema: { $ref: `./${eventFile(event)}` } },
});

const deadLetterChannel = (service: string) => ({
  address: `${service}.dead-letters`,
  title: `What ${service} could not read`,
  description: 'Only messages without a readable envelope; every other failure ends as a failed row of the inbox.',
  messages: {},
});

function operations(topic: Topic, events: readonly Event[]) {
  const { topic: address, producer, consumers } = topic;
  const part = {
    channel: ref('channels', address),
    messages: events.filter(isOf(topic)).map(({ name }) => ref('channels', address, 'messages', name)),
  };
  const send = {
    action: 'send',
    title: `${producer} says it`,
    description: 'Once, right after the commit that wrote it into the outbox; what gets lost on the way is fetched.',
    ...part,
  };
  const receive = (consumer: string) => ({
    action: 'receive',
    title: `${consumer} hears it`,
    description:
      'At least once, in any order. Answer 200 with {"status":"SUCCESS"} when it is handled or was before, RETRY when it ' +
      `is to come again, DROP when it has no readable envelope (it then goes to ${consumer}.dead-letters).`,
    ...part,
  });
  return [
    [`${producer}.sends.${address}`, send],
    ...consumers.map((consumer) => [`${consumer}.receives.${address}`, receive(consumer)] as const),
  ] as const;
}
