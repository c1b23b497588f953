import { styleText } from 'node:util';
import type { Progress } from './progress.ts';

const terminal = process.stdout.isTTY;

/** Text in a style, plain where the output is not a terminal. */
export function styled(style: Parameters<typeof styleText>[0], text: string): string {
  return terminal ? styleText(style, text, { validateStream: false }) : text;
}

/** A duration as people read it. */
export function duration(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** Rows as aligned columns, two blanks apart and indented by two. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => `  ${line(row).trimEnd()}`).join('\n');
}

/** Shows steps as they end; one that lasts shows its seconds in place, or a line every ten where there is no terminal. */
export function createProgressView(): { show(progress: Progress): void; close(): void } {
  const running = new Map<string, { since: number; text: string; said: number }>();
  let drawn = false;
  const clear = () => {
    if (drawn) process.stdout.write('\r\x1b[K');
    drawn = false;
  };
  const tick = () => {
    for (const [name, step] of running) {
      const elapsed = Date.now() - step.since;
      const text = [`  ${name}`, duration(elapsed), step.text].filter(Boolean).join(', ');
      if (terminal && elapsed > 500) {
        clear();
        process.stdout.write(text);
        drawn = true;
        return;
      }
      if (!terminal && elapsed - step.said >= (step.said === 0 ? 2_000 : 10_000)) {
        step.said = elapsed;
        process.stdout.write(`${text} …\n`);
      }
    }
  };
  const timer = setInterval(tick, 250);
  return {
    show(progress) {
      if (progress.kind === 'started') running.set(progress.step, { since: Date.now(), text: '', said: 0 });
      if (progress.kind === 'detail') {
        const step = running.get(progress.step);
        if (step) step.text = progress.text;
      }
      if (progress.kind !== 'done') return;
      running.delete(progress.step);
      clear();
      const text = [progress.text, styled('dim', duration(progress.ms))].filter(Boolean).join(', ');
      process.stdout.write(`  ${styled('green', 'ok')}  ${progress.step.padEnd(10)}  ${text}\n`);
    },
    close() {
      clearInterval(timer);
      clear();
    },
  };
}
