import { setTimeout as delay } from 'node:timers/promises';
import { nextDelay } from './backoff.ts';
import { endProcess, startProcess, type Child, type Exit, type ProcessSpec } from './process.ts';

/** How a process is asked to end, and how long it may take before it is killed, in milliseconds. */
export interface Farewell {
  readonly signal: NodeJS.Signals;
  readonly graceMs: number;
}

/** One process of a group. */
export interface Member {
  readonly role: string;
  /** Asked for at each start, so that each start can have its own tokens. */
  readonly spec: () => ProcessSpec;
  readonly whenAnotherDies: Farewell;
  readonly whenStopped: Farewell;
}

/** What happened in a group, for logs and for the state file. */
export type GroupEvent =
  | { readonly kind: 'started' }
  | { readonly kind: 'ready'; readonly afterMs: number }
  | { readonly kind: 'died'; readonly role: string; readonly pid: number; readonly exit: Exit }
  | { readonly kind: 'waiting'; readonly delayMs: number }
  | { readonly kind: 'stopped' };

/** Processes that live and die together, and are started again when they have died. */
export interface Group {
  readonly name: string;
  readonly restarts: number;
  /** Deaths since it was last ready. */
  readonly failures: number;
  readonly lastDeath: { readonly role: string; readonly exit: Exit } | undefined;
  readonly running: boolean;
  start(): void;
  /** Ends the members one after another, in the order they were given. */
  stop(): Promise<void>;
  child(role: string): Child | undefined;
  children(): Child[];
  /** Signals one member; from a signal that ends it on, the group is not ready until it has started anew. */
  signal(role: string, signal: NodeJS.Signals): void;
  /** Asks its probe now; true only if all members lived before and after, and none is meant to die. */
  isReady(): Promise<boolean>;
}

const harmless: readonly NodeJS.Signals[] = ['SIGSTOP', 'SIGCONT', 'SIGUSR1', 'SIGUSR2', 'SIGHUP'];

/** A group that is not started yet. The probe says whether the members, all alive, do their work. */
export function createGroup(options: {
  name: string;
  members: readonly Member[];
  probe: () => Promise<boolean>;
  onEvent: (event: GroupEvent) => void;
}): Group {
  const { members, onEvent } = options;
  const children = new Map<string, Child>();
  const doomed = new Set<Child>();
  let wanted = false;
  let interrupt = new AbortController();
  let life: Promise<void> = Promise.resolve();
  let restarts = 0;
  let failures = 0;
  let lastDeath: Group['lastDeath'];

  async function isReady(): Promise<boolean> {
    const before = members.map(({ role }) => children.get(role));
    const sound = () =>
      before.every((child, index) => {
        const now = children.get(members[index]?.role ?? '');
        return child !== undefined && child === now && child.isAlive() && !doomed.has(child);
      });
    return sound() && (await options.probe().catch(() => false)) && sound();
  }

  /** Resolves to when it became ready, or to undefined when this start ended before. */
  async function becomeReady(ended: AbortSignal): Promise<number | undefined> {
    const started = Date.now();
    while (!ended.aborted) {
      if (await isReady()) {
        failures = 0;
        onEvent({ kind: 'ready', afterMs: Date.now() - started });
        return Date.now();
      }
      await delay(100, undefined, { signal: ended }).catch(() => undefined);
    }
    return undefined;
  }

  /** One start of all members, until all have ended again; resolves to for how long it was ready. */
  async function liveOnce(): Promise<number> {
    const started = members.map((member) => ({ member, child: startProcess(member.spec()) }));
    for (const { member, child } of started) children.set(member.role, child);
    onEvent({ kind: 'started' });
    const ended = new AbortController();
    const readyAt = becomeReady(ended.signal);
    const first = await Promise.race(
      started.map(async ({ member, child }) => ({ member, child, exit: await child.exited })),
    );
    ended.abort();
    if (wanted) {
      failures += 1;
      lastDeath = { role: first.member.role, exit: first.exit };
      onEvent({ kind: 'died', role: first.member.role, pid: first.child.pid, exit: first.exit });
      await Promise.all(
        started
          .filter(({ child }) => child !== first.child)
          .map(({ member, child }) => endProcess(child, member.whenAnotherDies.signal, member.whenAnotherDies.graceMs)),
      );
    }
    await Promise.all(started.map(({ child }) => child.exited));
    doomed.clear();
    const since = await readyAt;
    return since === undefined ? 0 : Date.now() - since;
  }

  async function live(): Promise<void> {
    let delayMs = 0;
    while (wanted) {
      const readyForMs = await liveOnce();
      if (!wanted) return;
      delayMs = nextDelay(delayMs, readyForMs);
      onEvent({ kind: 'waiting', delayMs });
      await delay(delayMs, undefined, { signal: interrupt.signal }).catch(() => undefined);
      if (wanted) restarts += 1;
    }
  }

  return {
    name: options.name,
    get restarts() {
      return restarts;
    },
    get failures() {
      return failures;
    },
    get lastDeath() {
      return lastDeath;
    },
    get running() {
      return wanted;
    },
    start() {
      if (wanted) return;
      wanted = true;
      interrupt = new AbortController();
      // One life after another, also when a stop has not quite ended.
      life = life.then(live);
    },
    async stop() {
      wanted = false;
      interrupt.abort();
      for (const { role, whenStopped } of members) {
        const child = children.get(role);
        if (child) await endProcess(child, whenStopped.signal, whenStopped.graceMs);
      }
      await life;
      children.clear();
      onEvent({ kind: 'stopped' });
    },
    child: (role) => children.get(role),
    children: () => [...children.values()],
    signal(role, signal) {
      const child = children.get(role);
      if (!child) return;
      if (!harmless.includes(signal)) doomed.add(child);
      child.signal(signal);
    },
    isReady,
  };
}
