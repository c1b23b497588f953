import { setTimeout as delay } from 'node:timers/promises';
import type { Client, Connect } from '../_chassis/client.ts';
import { DependencyError } from '../_chassis/errors.ts';
import { ordersContract } from '../orders/contract.ts';
import type { Handlers } from './contract.ts';
import { streamDefaults, type StreamSettings } from './event-stream.ts';
import { problems, refused } from './problems.ts';
import type { Follower, ServerEvent } from './route.ts';

type Follow = Client<typeof ordersContract>['followOrder'];
type Answer = ReturnType<Follow> extends AsyncIterable<infer A> ? A : never;

/** The route by which an order is followed. */
export function followHandlers(
  { connect }: { connect: Connect },
  { deadlineMs, streams = streamDefaults }: { deadlineMs: number; streams?: StreamSettings },
): Pick<Handlers, 'followOrder'> {
  const orders = connect(ordersContract);
  const takePlace = places(streams);
  return {
    async followOrder({ id, follower }) {
      takePlace(follower);
      const answers = resumed(orders.followOrder, id, follower, {
        beginWithinMs: deadlineMs,
        resumeWithinMs: streams.resumeWithinMs,
      });
      const first = await answers.next();
      // The gateway ends: a stream that ends at once is one that the client opens elsewhere.
      if (first.done) return { status: 200, events: eventsOf(answers) };
      const { value } = first;
      switch (value.kind) {
        case 'moved':
        case 'following':
          return { status: 200, events: eventsOf(answers, value) };
        case 'ended':
          // He has it all; this is what keeps an EventSource from coming back.
          return { status: 204 };
        case 'not-found':
          throw problems.notFound('order');
        default:
          throw refused(value);
      }
    },
  };
}

/** Counts who follows; a place is free again when its stream is over. */
function places({ mostStreams, mostOfOne }: StreamSettings): (follower: Follower) => void {
  const bySubject = new Map<string, number>();
  let taken = 0;
  return ({ subject, signal }) => {
    const own = subject === undefined ? 0 : (bySubject.get(subject) ?? 0);
    if (own >= mostOfOne) throw problems.tooManyStreams();
    if (taken >= mostStreams) throw problems.overloaded(5_000);
    const count = (by: number) => {
      taken += by;
      if (subject === undefined) return; // who has no token sees only what has ended, which is over at once
      const left = (bySubject.get(subject) ?? 0) + by;
      if (left > 0) bySubject.set(subject, left);
      else bySubject.delete(subject);
    };
    count(1);
    if (signal.aborted) count(-1);
    else signal.addEventListener('abort', () => count(-1), { once: true });
  };
}

/**
 * What orders answers, each move once, over as many streams of its as that takes: a replica that stops, or a connection
 * that a sidecar tears down for reasons of others, is no reason to send the client away, whose EventSource would take a 503
 * on its return as final. Before the first answer only what is away is tried again, and only for so long.
 */
async function* resumed(
  follow: Follow,
  orderId: string,
  { after, signal }: Follower,
  patience: { beginWithinMs: number; resumeWithinMs: number },
): AsyncGenerator<Answer, void> {
  let version = after;
  let begun = false;
  let failedSince = performance.now();
  for (let pauseMs = 100; ; pauseMs = Math.min(2 * pauseMs, 1_000)) {
    const limit = begun ? patience.resumeWithinMs : patience.beginWithinMs;
    let failure = new DependencyError('orders', 'unreachable', { detail: 'the stream ended' });
    try {
      const timeoutMs = Math.max(1, Math.min(patience.beginWithinMs, failedSince + limit - performance.now()));
      for await (const answer of follow({ orderId, afterVersion: version }, { signal, timeoutMs })) {
        if (begun && (answer.kind === 'overloaded' || answer.kind === 'deadline-passed')) break;
        // What he may no longer see, he is told when he comes back.
        if (begun && answer.kind !== 'moved' && answer.kind !== 'following' && answer.kind !== 'ended') return;
        if (answer.kind === 'moved') version = answer.version;
        begun = true;
        pauseMs = 50;
        failedSince = Number.POSITIVE_INFINITY;
        yield answer;
        if (answer.kind === 'ended') return;
      }
    } catch (error) {
      if (!(error instanceof DependencyError) || (!begun && error.reason !== 'unreachable')) throw error;
      failure = error;
    }
    if (signal.aborted) return;
    const now = performance.now();
    failedSince = Math.min(failedSince, now);
    if (now - failedSince >= (begun ? patience.resumeWithinMs : patience.beginWithinMs)) {
      if (begun) return;
      throw failure;
    }
    await delay(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
}

/** The moves among these answers as events, the first answer first; each field always in this order. */
async function* eventsOf(rest: AsyncGenerator<Answer, void>, first?: Answer): AsyncGenerator<ServerEvent> {
  if (first?.kind === 'moved') yield eventOf(first);
  for await (const answer of rest) if (answer.kind === 'moved') yield eventOf(answer);
}

const eventOf = ({ orderId, status, version, at, reason }: Extract<Answer, { kind: 'moved' }>): ServerEvent => ({
  id: version,
  event: status,
  data: { orderId, status, version, at, ...(reason !== undefined && { reason }) },
});
