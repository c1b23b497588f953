import type { Envelope } from '../envelope.ts';
import { DependencyError } from '../errors.ts';
import type { Sidecar } from '../sidecar.ts';
import { memoryCounters } from './counters.ts';

/** A sidecar in memory: state with ETags as Dapr's Redis store keeps them, and a list of what was published. */
export interface MemorySidecar extends Sidecar {
  readonly published: Envelope[];
  /** While true, the state store and the broker can't be reached. */
  down: boolean;
  /** Forgets the whole state, as Redis does that lost its data: ETags begin at 1 again. */
  flush(): void;
  onInvoke(handler: Sidecar['invoke']): void;
}

/** For tests of one service without a daprd. */
export function createMemorySidecar(): MemorySidecar {
  const state = new Map<string, { value: unknown; version: number }>();
  let invoke: Sidecar['invoke'] = async (appId) => Promise.reject(new DependencyError(appId, 'unreachable'));
  const reach = () => {
    if (sidecar.down) throw new DependencyError('statestore', 'unreachable');
  };
  const sidecar: MemorySidecar = {
    published: [],
    down: false,
    flush: () => state.clear(),
    onInvoke: (handler) => void (invoke = handler),
    invoke: (...args) => invoke(...args),
    async publish(_topic, events) {
      reach();
      sidecar.published.push(...events);
      return 0;
    },
    async getState(key) {
      reach();
      const found = state.get(key);
      return found && { value: structuredClone(found.value), etag: String(found.version) };
    },
    async setState(key, value, { etag }) {
      reach();
      const found = state.get(key);
      // Like the real one, an absent key takes any ETag.
      if (found && String(found.version) !== (etag ?? '')) return false;
      state.set(key, { value: structuredClone(value), version: (found?.version ?? 0) + 1 });
      return true;
    },
    invokeBinding: memoryCounters().invokeBinding,
    async getSecret(name) {
      return name;
    },
    async isHealthy() {
      return true;
    },
    async subscribesTo() {
      return true;
    },
    async leave() {},
    async isGoing() {
      return false;
    },
    async close() {},
  };
  return sidecar;
}
