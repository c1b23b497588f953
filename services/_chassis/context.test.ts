import { describe, expect, it } from 'vitest';
import {
  contextHeaders,
  contextOf,
  continueTrace,
  currentContext,
  remainingMs,
  traceIdOf,
  withContext,
} from './context.ts';

const trace = 'a'.repeat(32);
const span = 'b'.repeat(16);
const wellFormed = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

describe('continueTrace', () => {
  it('when there is a trace, it is continued by a span of our own with its flags', () => {
    const continued = continueTrace(`00-${trace}-${span}-01`);
    expect(continued).toMatch(wellFormed);
    expect(continued.startsWith(`00-${trace}-`) && continued.endsWith('-01')).toBe(true);
    expect(continued).not.toContain(span);
  });

  it.each([
    undefined,
    '',
    `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`, // what Dapr makes up where nobody sent one
    `00-${'0'.repeat(32)}-${span}-01`,
    `01-${trace}-${span}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span}`,
    `00-${trace}-${span}-01-more`,
    ` 00-${trace}-${span}-01`,
    `00-${trace}x-${span}-01`,
  ])('when it is %j, a new trace begins', (given) => {
    const begun = continueTrace(given);
    expect(begun).toMatch(wellFormed);
    expect(traceIdOf(begun)).not.toBe(trace);
    expect(traceIdOf(begun)).not.toBe(traceIdOf(continueTrace(given)));
  });
});

describe('contextOf', () => {
  const from = (headers: Record<string, string>) => contextOf((name) => headers[name]);

  it.each(['', 'soon', 'NaN', '-1', '0', '1.5', '1e400', '99999999999999999999'])(
    'when the deadline is %j, there is none',
    (deadline) => expect(from({ 'x-deadline': deadline }).deadline).toBeUndefined(),
  );

  it('when the deadline is a time in milliseconds, it is that', () => {
    expect(from({ 'x-deadline': '1767225600000' }).deadline).toBe(1_767_225_600_000);
  });

  it('when nobody named the request, or with what no header may carry on, it is named by its trace', () => {
    for (const id of [undefined, '', 'é', 'a\nb', 'x'.repeat(129)]) {
      const context = from(id === undefined ? {} : { 'x-request-id': id });
      expect(context.requestId).toBe(traceIdOf(context.traceparent));
    }
    expect(from({ 'x-request-id': 'mine-1' }).requestId).toBe('mine-1');
  });
});

describe('what a call carries on', () => {
  const context = { requestId: 'r', traceparent: `00-${trace}-${span}-01`, deadline: 5_000, authorization: 'Bearer x' };

  it('when it has everything, all of it', () => {
    const { requestId, traceparent } = context;
    const all = { traceparent, 'x-request-id': requestId, 'x-deadline': '5000', authorization: 'Bearer x' };
    expect(contextHeaders(context)).toEqual(all);
    expect(contextHeaders({ requestId, traceparent })).toEqual({ traceparent, 'x-request-id': requestId });
    expect(contextHeaders(undefined)).toEqual({});
  });

  it('when it has a deadline, the time left runs out with it, also after it has passed', () => {
    expect(remainingMs()).toBeUndefined();
    expect(withContext(context, () => [remainingMs(4_000), remainingMs(6_000)])).toEqual([1_000, -1_000]);
  });

  it('when two calls run side by side, each keeps its own across its waits', async () => {
    const run = (requestId: string) =>
      withContext({ requestId, traceparent: '' }, async () => {
        await new Promise(setImmediate);
        return currentContext()?.requestId;
      });
    expect(await Promise.all([run('a'), run('b')])).toEqual(['a', 'b']);
    expect(currentContext()).toBeUndefined();
  });
});
