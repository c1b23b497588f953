import { createHash } from 'node:crypto';
import type { ClientLog } from '../audit/client-log.ts';
import { conformityTo } from '../../services/gateway/test-conformity.ts';
import { readApi, type Operation } from './document.ts';
import { drawsOf } from './draw.ts';
import { createBodyCheck, faultsOf, faultsOfConversation } from './judge.ts';
import { malformed } from './malformed.ts';
import { mutate } from './mutate.ts';
import { curlLine, rawLine } from './replay.ts';
import { finish, serialise, validDraft, type Draft, type Person, type Request, type Workshop } from './request.ts';
import { createTally } from './tally.ts';
import { collectThings } from './things.ts';
import { converse, openLane, type Answer } from './wire.ts';

const lanes = 16;

export interface FuzzOptions {
  readonly port: number;
  readonly requests: number;
  readonly seed: number;
  /** The document that the gateway gives out. */
  readonly document: object;
  readonly people: readonly Person[];
  readonly bearer: (person: Person) => Promise<string>;
  readonly log: ClientLog;
  readonly report: (text: string) => void;
}

/** Sends so many requests, as the document and the seed say, and tells what was answered and what was wrong with that. */
export async function fuzz(options: FuzzOptions) {
  const { port, requests, seed, document, people, bearer, log, report } = options;
  const api = readApi(document);
  const conformity = conformityTo(document);
  const isBadBody = createBodyCheck(document);
  const things = collectThings(api.operations);
  const tally = createTally(api.operations);
  const tokens = new Map<string, string>();
  const may = new Map<string, string[]>(api.operations.map(({ id }) => [id, people.map(({ name }) => name)]));
  const workshop: Workshop = { api, things, people, tokens, allowed: ({ id }) => may.get(id) ?? [] };

  async function renewTokens(): Promise<void> {
    for (const person of people) tokens.set(person.name, (await bearer(person)).replace(/^Bearer /, ''));
  }

  type Lane = ReturnType<typeof openLane>;

  async function send(
    lane: Lane,
    draft: Draft,
    told: { n: number; what: string; refused: boolean },
  ): Promise<Answer | undefined> {
    const request = finish(draft, tokens);
    const { operation, person } = draft;
    const replay = () =>
      `case ${told.n} (${told.what}): ${curlLine(request, draft.token === undefined ? people.find(({ name }) => name === person) : undefined)}`;
    const sentAt = Date.now();
    try {
      const answer = await lane.exchange(serialise(request), { head: request.method === 'HEAD' });
      const refused = told.refused || isBadBody(draft);
      tally.answered(operation, told.what, answer, faultsOf({ request, answer, refused }, conformity), replay);
      note(request, draft, answer, sentAt);
      return answer;
    } catch (error) {
      tally.failed(operation, told.what, error instanceof Error ? error.message : String(error), replay);
      return undefined;
    }
  }

  /** Learns from a success, and notes for the audit what this person was told. */
  function note({ method, target, headers, body }: Request, draft: Draft, answer: Answer, sentAt: number): void {
    const { operation, person, thing, token } = draft;
    const who = token === undefined ? person : undefined;
    const { status, text } = answer;
    if (thing && (status === 404 || (method === 'DELETE' && status < 300)) && draft.path.includes(thing.value)) {
      const name = /\{(\w+)\}/.exec(operation.path)?.[1] ?? '';
      things.forget(name, thing.value);
    }
    if (status >= 300 || method !== operation.method || token !== undefined) return;
    const json = /json/.test(answer.headers['content-type'] ?? '') ? (JSON.parse(text) as unknown) : text;
    things.learn(operation, who, {
      target,
      location: answer.headers['location'],
      etag: answer.headers['etag'],
      body: json,
    });
    const [key] = headers.filter(([name]) => name === 'idempotency-key').map(([, value]) => value);
    const n = headers.find(([name]) => name === 'x-request-id')?.[1];
    const hash = (bytes: string) => createHash('sha256').update(bytes).digest('base64');
    log.write({
      ...{
        sentAt,
        at: Date.now(),
        client: who ?? 'anonymous',
        tenant: 'main',
        method,
        path: target,
        status,
        body: json,
      },
      // Odd keys come again with other requests, and what blanks HTTP takes off them the audit does not know.
      ...(key !== undefined && key.replaceAll('"', '') === n && { key, requestHash: hash(body ?? '') }),
      bodyHash: hash(text),
    });
  }

  /** Every operation once by everybody, those without an id first: so it is known who may, and what there is. */
  async function lookAround(): Promise<void> {
    const lane = openLane(port);
    const depth = ({ path }: Operation) => path.split('{').length * 100 + path.length;
    const order = api.operations.toSorted((one, other) => depth(one) - depth(other));
    for (let round = 0; round < 3; round += 1) {
      for (const [index, operation] of order.entries()) {
        if (operation.method === 'DELETE' && round < 2) continue;
        for (const [who, person] of people.entries()) {
          const n = -1 - (round * order.length + index) * people.length - who;
          const draft = validDraft(workshop, operation, drawsOf(seed, n), { n: `look${-n}`, by: person.name });
          if (!operation.open) draft.person = person.name;
          const answer = await send(lane, draft, { n, what: 'valid', refused: false });
          if (answer?.status === 403 || answer?.status === 401) {
            may.set(
              operation.id,
              (may.get(operation.id) ?? []).filter((name) => name !== person.name),
            );
          }
        }
      }
    }
    lane.close();
  }

  async function one(n: number, lane: Lane): Promise<void> {
    const draw = drawsOf(seed, n);
    const share = draw.upTo(20);
    if (share < 2) {
      const conversation = malformed(draw);
      const replay = () => `case ${n} (${conversation.name}): ${rawLine(conversation.steps)}`;
      try {
        const heard = await converse(port, conversation.steps, { expected: conversation.most });
        tally.heard(conversation.name, heard.answers, faultsOfConversation(conversation, heard, conformity), replay);
      } catch (error) {
        tally.heard(conversation.name, [], [error instanceof Error ? error.message : String(error)], replay);
      }
      return;
    }
    const operation = draw.of(api.operations);
    const sensible = share < 12 || draw.upTo(4) > 0;
    const draft = validDraft(workshop, operation, draw, { n: `f${seed}.${n}`, sensible });
    if (share >= 12) return void (await send(lane, draft, { n, what: sensible ? 'valid' : 'random', refused: false }));
    const { name, outcome } = mutate(draft, draw, workshop);
    await send(lane, draft, { n, what: name, refused: outcome === 'refused' });
  }

  await renewTokens();
  report('looking around');
  await lookAround();
  const started = Date.now();
  let next = 0;
  let renewedAt = Date.now();
  const work = async () => {
    const lane = openLane(port);
    while (next < requests) {
      const n = next;
      next += 1;
      if (Date.now() - renewedAt > 240_000) {
        renewedAt = Date.now();
        await renewTokens();
      }
      await one(n, lane);
      if (n % 100 === 0)
        report(
          `${n} of ${requests} requests, ${Math.round((n * 1_000) / (Date.now() - started + 1))} a second, ${tally.faults()} faults`,
        );
    }
    lane.close();
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return { ...tally.result(), seconds: Math.max(1, Math.round((Date.now() - started) / 1_000)) };
}
