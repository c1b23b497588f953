import { describe, expect, it } from 'vitest';
import { renderLogLine } from './log-line.ts';

describe('renderLogLine', () => {
  it("when an app wrote it, shows time, level, message and the fact's fields", () => {
    const text =
      '{"level":"info","time":"2026-11-21T15:34:59.124Z","service":"orders","orderId":"1","msg":"order placed"}';
    expect(renderLogLine('orders-0.app', text)).toBe('15:34:59.124 info  orders-0.app order placed orderId=1');
  });

  it('when a sidecar wrote it, leaves out what every line says', () => {
    const text =
      '{"app_id":"orders","instance":"vm","level":"error","msg":"no topic","scope":"dapr","time":"2026-11-21T15:34:59.1248Z","type":"log","ver":"1.18.1"}';
    expect(renderLogLine('orders-0.sidecar', text)).toBe('15:34:59.124 error orders-0.sidecar no topic');
  });

  it.each(['plain text', '{ broken', '{"level":{}}'])('when it is %s, shows it as it is', (text) => {
    expect(renderLogLine('bank', text)).toBe(`bank ${text}`);
  });
});
