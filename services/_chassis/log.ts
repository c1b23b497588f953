import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { currentContext, traceIdOf } from './context.ts';

export type Log = Logger;

const linesTogetherMs = 20;
const bytesTogether = 4_096;

/**
 * A JSON logger on standard output: service, request and trace id on every line; messages are constant, data is in
 * fields. Bodies, tokens and personal data are never handed to it; the redaction is a second lock, not the first.
 */
export function createLog(service: string, level: string): Log {
  const options: LoggerOptions = {
    level,
    base: { service },
    timestamp: time,
    formatters: { level: (label) => ({ level: label }), log: (fields) => withoutSecrets(fields) },
    serializers: { err: (error: Error) => withoutSecrets({ ...pino.stdSerializers.err(error) }) },
    mixin() {
      const context = currentContext();
      return context ? { requestId: context.requestId, traceId: traceIdOf(context.traceparent) } : {};
    },
  };
  return pino(options, (output ??= openOutput()));
}

const secrets = new Set(['authorization', 'password', 'token', 'paymentToken']);
const isFlat = (value: unknown) => typeof value !== 'object' || value === null || value instanceof Error;

/** Fields, three levels deep, without what has a secret's name. Pino's own redaction costs as much as all the rest of a line. */
export function withoutSecrets(fields: Record<string, unknown>, depth = 1): Record<string, unknown> {
  if (Object.keys(fields).every((name) => !secrets.has(name) && isFlat(fields[name]))) return fields;
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const isNested = depth < 3 && typeof value === 'object' && value?.constructor === Object;
    safe[name] = secrets.has(name)
      ? '[Redacted]'
      : isNested
        ? withoutSecrets(value as Record<string, unknown>, depth + 1)
        : value;
  }
  return safe;
}

let lastMs = 0;
let lastTime = '';
/** ISO 8601, made once a millisecond. */
function time(): string {
  const now = Date.now();
  if (now !== lastMs) [lastMs, lastTime] = [now, `,"time":"${new Date(now).toISOString()}"`];
  return lastTime;
}

let output: DestinationStream | undefined;

/**
 * Standard output, which all logs of a process share. A line may wait 20 ms for others: a write for each costs more than
 * all the rest of a request's log. What waits when the process ends is written then; only a kill loses it.
 */
function openOutput(): DestinationStream {
  const stream = pino.destination({ dest: 1, sync: true, minLength: bytesTogether });
  process.once('exit', () => stream.flushSync());
  let flushing = false;
  const flush = () => {
    flushing = false;
    stream.flushSync();
  };
  return {
    write(line) {
      stream.write(line);
      if (flushing) return;
      flushing = true;
      setTimeout(flush, linesTogetherMs).unref();
    },
  };
}
