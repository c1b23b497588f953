import { Writable } from 'node:stream';
import { pino } from 'pino';
import { generateSigningKey, signToken, staticAuthenticate } from '../_chassis/test-support/issuer.ts';
import { clientOver, type Connect } from '../_chassis/client.ts';
import { currentContext, type CallContext } from '../_chassis/context.ts';
import { DependencyError } from '../_chassis/errors.ts';
import { createMetrics } from '../_chassis/metrics.ts';
import type { Sidecar } from '../_chassis/sidecar.ts';
import { memoryCounters } from '../_chassis/test-support/counters.ts';
import { buildApp } from './app.ts';
import { streamDefaults, type StreamSettings } from './event-stream.ts';
import { proxyList } from './limit-caller.ts';
import { createLots } from './limit-lots.ts';
import { quotaOf } from './limit-share.ts';
import { createLimit, type Quotas } from './limit.ts';
import type { LimitClass } from './route.ts';
import { listenPublic, patience } from './server.ts';
import { readConformity } from './test-conformity.ts';
import type { CertificateFiles } from './tls.ts';

/** One call that reached a service, and under which context. */
export interface Asked {
  readonly name: string;
  readonly request: unknown;
  readonly key: string | undefined;
  readonly context: CallContext | undefined;
}

const much = (name: LimitClass) => quotaOf(name, 100_000, 100_000, 'alone');
/** For tests that are not about limits. */
const plenty: Quotas = { read: much('read'), write: much('write'), order: much('order'), 'sign-in': much('sign-in') };

type Fake = (request: unknown) => unknown;

/** The gateway on a free port, with real tokens and HTTP; services are what `answers` says, and away where it says nothing. */
export async function startTestGateway(
  options: {
    deadlineMs?: number;
    limits?: typeof patience;
    streams?: Partial<StreamSettings>;
    origins?: string[];
    quotas?: Partial<Quotas>;
    proxies?: readonly string[];
    /** Where requests are counted; several gateways may share it. */
    counters?: Pick<Sidecar, 'invokeBinding'>;
    certificate?: CertificateFiles;
  } = {},
) {
  const answers = new Map<string, Fake>();
  const asked: Asked[] = [];
  const logged: string[] = [];
  const lines = new Writable({ write: (line: Buffer, _encoding, done) => void (logged.push(line.toString()), done()) });
  const log = pino({ level: 'info' }, lines);
  const ending = new AbortController();
  const state = { stopping: false, healthy: true };
  const keys = await generateSigningKey();
  const strangers = await generateSigningKey();
  const token = (sub: string, role: string) => signToken(keys.privateKey, { sub, roles: [role] });
  const tokens = {
    customer: await token('1', 'customer'),
    staff: await token('3', 'staff'),
    reader: await signToken(keys.privateKey, { sub: '3', roles: ['staff'], scopes: ['openid', 'read'] }),
    warehouse: await token('4', 'warehouse'),
    admin: await token('5', 'admin'),
    expired: await signToken(keys.privateKey, { sub: '1', roles: ['customer'], lifetime: -60 }),
    forged: await signToken(strangers.privateKey, { sub: '3', roles: ['staff'] }),
  };
  const ask = (service: string, method: string, request: unknown, key?: string): unknown => {
    const name = `${service}.${method}`;
    asked.push({ name, request, key, context: currentContext() });
    const answer = answers.get(name);
    if (!answer) throw new DependencyError(service, 'unreachable', { detail: 'connect ECONNREFUSED secret' });
    return answer(request);
  };
  const connect: Connect = (contract) =>
    clientOver(
      contract,
      async (method, request, headers) => await ask(contract.service, method, request, headers['idempotency-key']),
      async function* (method, request, { signal }) {
        const stream = (await ask(contract.service, method, request)) as (
          signal?: AbortSignal,
        ) => AsyncIterable<unknown>;
        yield* stream(signal);
      },
    );
  const metrics = createMetrics('gateway');
  const proxies = proxyList(options.proxies ?? []);
  const limit = createLimit({
    quotas: { ...plenty, ...options.quotas },
    lots: createLots({ sidecar: options.counters ?? memoryCounters(), log }),
    proxies,
    metrics,
  });
  const app = buildApp(
    {
      log,
      metrics,
      limit,
      proxies,
      connect,
      authenticate: staticAuthenticate(keys.verificationKeys),
      isHealthy: async () => state.healthy,
      stopping: () => state.stopping,
      ending: ending.signal,
    },
    {
      origins: options.origins ?? [],
      deadlineMs: options.deadlineMs ?? 2_500,
      streams: { ...streamDefaults, ...options.streams },
    },
  );
  const listening = await listenPublic(app, 0, log, options.limits, options.certificate);
  const conformity = await readConformity();
  const base = `http://127.0.0.1:${listening.port}`;

  return {
    base,
    port: listening.port,
    tokens,
    asked,
    logged,
    metrics,
    state,
    /** Has every event stream end, as on SIGTERM. */
    endStreams: () => ending.abort(),
    /** Sets what a method, `<service>.<method>`, answers from now on. */
    answer: (name: string, value: unknown) =>
      void answers.set(name, typeof value === 'function' ? (value as Fake) : () => value),
    /** Sends a request as one of the people; a body that is no text is sent as JSON. The answer has to be as published. */
    async send(
      verb: string,
      path: string,
      as?: keyof typeof tokens,
      body?: unknown,
      headers: Record<string, string> = {},
    ) {
      const response = await fetch(base + path, {
        method: verb,
        headers: {
          ...(as && { authorization: `Bearer ${tokens[as]}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await response.text();
      const { status } = response;
      const { problem } = conformity({ method: verb, path, status, body: text === '' ? '' : JSON.parse(text) });
      if (problem !== undefined && verb !== 'HEAD') throw new Error(`${verb} ${path} ${status}: ${problem}: ${text}`);
      return {
        status,
        headers: response.headers,
        text,
        json: (text === '' ? {} : JSON.parse(text)) as Json,
      };
    },
    /** Forgets what was asked and answered so far. */
    reset() {
      asked.length = logged.length = 0;
      answers.clear();
      Object.assign(state, { stopping: false, healthy: true });
    },
    close: () => listening.close(),
  };
}

/** A JSON object as a test looks into it. */
export type Json = Record<string, unknown>;
