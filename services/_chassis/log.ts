import { pino, type Logger } from 'pino';
import { currentContext, traceIdOf } from './context.ts';

export type Log = Logger;

/**
 * A JSON logger on standard output: service, request and trace id on every line; messages are constant, data is in
 * fields. Bodies, tokens and personal data are never handed to it; the redaction is a second lock, not the first.
 */
export function createLog(service: string, level: string): Log {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['*.authorization', '*.password', '*.token', '*.paymentToken'],
    mixin() {
      const context = currentContext();
      return context ? { requestId: context.requestId, traceId: traceIdOf(context.traceparent) } : {};
    },
  });
}
