import type { AuditReport } from './audit.ts';
import type { Finding } from './findings.ts';

const shownPerInvariant = 50;

/** The report for a person: a table of the invariants, then each offending id with what is wrong with it. */
export function printReport(report: AuditReport): string {
  const { findings, orders, waitedMs, open, notes } = report;
  const broken = findings.filter(({ count }) => count > 0);
  const total = broken.reduce((sum, { count }) => sum + count, 0);
  const seconds = (waitedMs / 1_000).toFixed(1);
  return [
    ...table(findings),
    '',
    ...(report.drained ? [] : [`not drained after ${seconds} s`, ...open.map((line) => `  ${line}`), '']),
    ...broken.flatMap(details),
    ...notes.map((note) => `note: ${note}`),
    report.clean
      ? `clean: ${orders} orders, nothing lost (drained after ${seconds} s)`
      : `NOT CLEAN: ${total} violations of ${broken.map(({ invariant }) => invariant).join(', ')} in ${orders} orders`,
  ].join('\n');
}

function table(findings: readonly Finding[]): string[] {
  const rows = findings.map(({ invariant, says, rows: checked, count, skipped }) => [
    invariant,
    says,
    skipped === undefined ? String(checked) : '-',
    skipped === undefined || count > 0 ? String(count) : `not checked: ${skipped}`,
  ]);
  const head = ['', 'what must hold', 'rows', 'violations'];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => (column === 2 ? cell.padStart(widths[2] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function details({ invariant, says, count, violations }: Finding): string[] {
  const more = count - Math.min(shownPerInvariant, violations.length);
  return [
    `${invariant} ${says}`,
    ...violations.slice(0, shownPerInvariant).map(({ subject, problem }) => `  ${subject}: ${problem}`),
    ...(more > 0 ? [`  ... and ${more} more`] : []),
    '',
  ];
}
