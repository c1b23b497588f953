import { readContracts, topicsOf } from '../service-contracts.ts';

/** Who consumes a topic of whom. */
export interface Topic {
  readonly producer: string;
  readonly topic: string;
  readonly consumers: readonly string[];
}

const contracts = await readContracts();

/** All topics, as the services' contracts say: what each publishes to, and who says that it consumes it. */
export const topics: readonly Topic[] = contracts.flatMap((producer) =>
  topicsOf(producer).map((topic) => ({
    producer: producer.service,
    topic,
    consumers: contracts
      .filter(({ consumes = {} }) => consumes[producer.service]?.includes(topic))
      .map(({ service }) => service),
  })),
);

/** Who must hear what this producer says on this topic; undefined for a topic that it does not have. */
export const consumersOf = (producer: string, topic: string): readonly string[] | undefined =>
  topics.find((one) => one.producer === producer && one.topic === topic)?.consumers;
