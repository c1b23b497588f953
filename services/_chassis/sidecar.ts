import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { z } from 'zod';
import { contextHeaders, currentContext, remainingMs } from './context.ts';
import { toWire, type Envelope } from './envelope.ts';
import { DependencyError } from './errors.ts';
import { OutOfTime, exchange } from './exchange.ts';
import { readJson } from './json.ts';

/** What an app asks of its sidecar. Every call is bounded by the deadline of the work it belongs to, or by its own limit. */
export interface Sidecar {
  /** Calls a path of another app, or of an HTTPEndpoint, and gives status and body of whatever answered. */
  invoke(appId: string, path: string, options: InvokeOptions): Promise<{ status: number; body: string }>;
  /** Hands events to the broker; gives how many the broker did not take. */
  publish(topic: string, events: readonly Envelope[]): Promise<number>;
  /** A value of the state store with its ETag, or undefined. */
  getState(key: string): Promise<{ value: unknown; etag: string } | undefined>;
  /** Writes if the key still has that ETag (or, without one, is still absent); false when somebody else was first. */
  setState(key: string, value: unknown, options: { etag?: string | undefined; ttlSeconds: number }): Promise<boolean>;
  /** Has an output binding do something; gives what it answers, which may be nothing. */
  invokeBinding(
    binding: string,
    operation: string,
    options: { metadata: Readonly<Record<string, string>>; timeoutMs: number },
  ): Promise<string>;
  getSecret(name: string): Promise<string>;
  /** Whether the sidecar can call out. */
  isHealthy(): Promise<boolean>;
  /** Whether it has subscribed to all of these topics. It asks its app only once, so a later app has to ask it. */
  subscribesTo(topics: readonly string[]): Promise<boolean>;
  /** Ends the sidecar: it finishes what it has taken on, and nobody finds it any more; resolves once it is gone, or hangs. */
  leave(): Promise<void>;
  /** Whether it says that it stops, or nobody is there; one that is only slow does not. */
  isGoing(): Promise<boolean>;
  close(): Promise<void>;
}

export interface InvokeOptions {
  readonly verb?: 'GET' | 'POST';
  readonly body?: string;
  readonly headers?: Record<string, string>;
  /** Milliseconds; the current call's deadline cuts it shorter. */
  readonly timeoutMs?: number;
}

const pubsub = 'pubsub';
const statestore = 'statestore';
const secretstore = 'secretstore';
const defaultTimeoutMs = 5_000;
// Longer than its --dapr-graceful-shutdown-seconds.
const leaveMs = 8_000;

/**
 * A sidecar client on a pool of keep-alive connections. Retries and breakers are the sidecar's (resiliency.yaml); here
 * is only the deadline. Headers and errors follow https://docs.dapr.io/reference/api/.
 */
export function createSidecar(options: { port: number; apiToken: string; connections?: number }): Sidecar {
  const pool = new Pool(`http://127.0.0.1:${options.port}`, {
    connections: options.connections ?? 64,
    pipelining: 1,
    connectTimeout: 1_000,
    bodyTimeout: 0,
    headersTimeout: 0, // each exchange is bounded as a whole
  });

  async function request(
    dependency: string,
    verb: 'GET' | 'POST',
    path: string,
    call: { body?: string | undefined; headers?: Record<string, string> | undefined; timeoutMs?: number | undefined },
  ): Promise<{ status: number; body: string; etag: string }> {
    const limit = Math.min(call.timeoutMs ?? defaultTimeoutMs, remainingMs() ?? Number.POSITIVE_INFINITY);
    if (limit <= 0) throw new DependencyError(dependency, 'deadline');
    const headers = {
      ...(call.body !== undefined && { 'content-type': 'application/json' }),
      ...contextHeaders(currentContext()),
      ...call.headers,
      'dapr-api-token': options.apiToken,
    };
    try {
      const asked = { method: verb, path, body: call.body ?? null, headers };
      const { status, body, headers: answered } = await exchange(pool, asked, Math.ceil(limit));
      return { status, body, etag: String(answered['etag'] ?? '') };
    } catch (error) {
      throw new DependencyError(dependency, error instanceof OutOfTime ? 'deadline' : 'unreachable', { cause: error });
    }
  }

  function expect(dependency: string, response: { status: number; body: string }, ...statuses: number[]): string {
    if (statuses.includes(response.status)) return response.body;
    throw new DependencyError(dependency, 'failed', { detail: `${response.status} ${response.body.slice(0, 300)}` });
  }

  const outbound = () => request('sidecar', 'GET', '/v1.0/healthz/outbound', { timeoutMs: 1_000 });
  const isGone = (error: unknown) => error instanceof DependencyError && error.reason === 'unreachable';

  return {
    async invoke(appId, path, { verb = 'POST', ...call }) {
      const response = await request(appId, verb, `/v1.0/invoke/${appId}/method${path}`, call);
      const failure = sidecarFailure(response);
      if (failure !== undefined) {
        const open = /circuit breaker is open|too many requests/.test(failure);
        // A callee's sidecar that does not let us in is there, and will not change its mind.
        const reason = open ? 'breaker-open' : response.status === 403 ? 'failed' : 'unreachable';
        throw new DependencyError(appId, reason, { detail: failure.slice(0, 300) });
      }
      return response;
    },
    async publish(topic, events) {
      const entries = events.map((event) => ({
        entryId: event.id,
        event: toWire(event),
        contentType: 'application/cloudevents+json',
      }));
      const response = await request(pubsub, 'POST', `/v1.0/publish/bulk/${pubsub}/${topic}`, {
        body: JSON.stringify(entries),
        timeoutMs: 2_000,
      });
      if (response.status === 204 || response.status === 200) return 0;
      return failedEntries(response.body) ?? events.length;
    },
    async getState(key) {
      const path = `/v1.0/state/${statestore}/${encodeURIComponent(key)}`;
      const response = await request(statestore, 'GET', path, { timeoutMs: 500 });
      if (response.status === 204) return undefined;
      const value: unknown = JSON.parse(expect(statestore, response, 200));
      return { value, etag: response.etag };
    },
    async setState(key, value, { etag, ttlSeconds }) {
      const entry = {
        key,
        value,
        ...(etag !== undefined && { etag }),
        options: { concurrency: 'first-write' },
        metadata: { ttlInSeconds: String(ttlSeconds) },
      };
      const body = JSON.stringify([entry]);
      const response = await request(statestore, 'POST', `/v1.0/state/${statestore}`, { body, timeoutMs: 500 });
      if (response.status === 409) return false;
      // Redis's answer when the key is there and no ETag was given (seen on 1.18.1). The same words without the script
      // are a failure: the store is away, or full.
      if (etag === undefined && /user_script:\d+: failed to set key/.test(response.body)) return false;
      expect(statestore, response, 204);
      return true;
    },
    async invokeBinding(binding, operation, { metadata, timeoutMs }) {
      const body = JSON.stringify({ operation, metadata });
      return expect(
        binding,
        await request(binding, 'POST', `/v1.0/bindings/${binding}`, { body, timeoutMs }),
        200,
        204,
      );
    },
    async getSecret(name) {
      const path = `/v1.0/secrets/${secretstore}/${encodeURIComponent(name)}`;
      const body = expect(secretstore, await request(secretstore, 'GET', path, {}), 200);
      const found = (JSON.parse(body) as Record<string, unknown>)[name];
      if (typeof found !== 'string') throw new DependencyError(secretstore, 'failed', { detail: `no secret ${name}` });
      return found;
    },
    isHealthy: () =>
      outbound().then(
        ({ status }) => status === 204,
        () => false,
      ),
    async subscribesTo(topics) {
      const body = expect('sidecar', await request('sidecar', 'GET', '/v1.0/metadata', { timeoutMs: 1_000 }), 200);
      const known = subscribed.parse(JSON.parse(body)).subscriptions.map(({ topic }) => topic);
      return topics.every((topic) => known.includes(topic));
    },
    async leave() {
      const shutdown = request('sidecar', 'POST', '/v1.0/shutdown', { timeoutMs: 1_000 });
      let gone = await shutdown.then(() => false, isGone);
      for (const limit = Date.now() + leaveMs; !gone && Date.now() < limit;) {
        await delay(25);
        gone = await outbound().then(() => false, isGone);
      }
    },
    isGoing: () => outbound().then(({ status }) => status !== 204, isGone),
    close: () => pool.close(),
  };
}

const subscribed = z.object({ subscriptions: z.array(z.object({ topic: z.string() })).default([]) });

/** daprd's own error, as told apart from an answer of the app behind it, which never has an `errorCode`. */
function sidecarFailure(response: { status: number; body: string }): string | undefined {
  if (response.status < 400 || !response.body.startsWith('{"errorCode":"ERR_')) return undefined;
  return response.body;
}

function failedEntries(body: string): number | undefined {
  const parsed = readJson(body);
  if (typeof parsed !== 'object' || parsed === null || !('failedEntries' in parsed)) return undefined;
  return Array.isArray(parsed.failedEntries) ? parsed.failedEntries.length : undefined;
}
