import { expect, it } from 'vitest';
import type { AuditReport } from './audit.ts';
import { createFindings } from './findings.ts';
import { printReport } from './print.ts';

const report = (wrong: boolean): AuditReport => {
  const findings = createFindings();
  findings.checked('I2', 12);
  findings.skipped('I11', 'no client log');
  if (wrong) for (let n = 0; n < 60; n++) findings.wrong('I2', `order-${n}`, 'still paid, since version 3');
  const open = wrong ? ['unfinished orders: 60 paid'] : [];
  const shared = { open, waitedMs: 1_234, orders: 12, findings: findings.all(), notes: ['something to know'] };
  return { clean: !wrong, drained: !wrong, ...shared };
};

it('when nothing is wrong, says what was looked at and what was not', () => {
  const lines = printReport(report(false)).split('\n');
  expect(lines).toHaveLength(19);
  expect(lines[2]).toMatch(/^I2 {3}every order is in exactly one terminal state +12 {2}0$/);
  expect(lines[11]).toMatch(/^I11 {2}a read after .* - {2}not checked: no client log$/);
  expect(lines.slice(-2)).toEqual(['note: something to know', 'clean: 12 orders, nothing lost (drained after 1.2 s)']);
});

it('when something is wrong, names what is open and each offending id, up to a bound', () => {
  const text = printReport(report(true));
  expect(text).toContain('not drained after 1.2 s\n  unfinished orders: 60 paid\n');
  expect(text).toContain('\n  order-49: still paid, since version 3\n  ... and 10 more\n');
  expect(text).toMatch(/NOT CLEAN: 60 violations of I2 in 12 orders$/);
});
