import { styled } from './mesh/terminal.ts';

/** What checks say, a line each, in the style of scripts/lib.sh; or, for programs, a JSON object a line. */
export interface CheckLines {
  section(title: string): void;
  ok(what: string, detail?: string): void;
  /** `advice` says what is wrong and what to do. */
  notOk(what: string, advice: string): void;
  /** Ends the report, and the process's exit code says whether there was a problem. */
  finish(): void;
}

/** Lines on stdout. */
export function createCheckLines(json: boolean): CheckLines {
  let problems = 0;
  const write = (line: string) => void process.stdout.write(`${line}\n`);
  const say = (isOk: boolean, what: string, detail: string) => {
    if (json) return write(JSON.stringify({ ok: isOk, what, detail }));
    const word = isOk ? `${styled('green', 'ok')}      ` : `${styled('red', 'not ok')}  `;
    write(`  ${word} ${what.padEnd(44)}  ${detail}`.trimEnd());
  };
  return {
    section: (title) => void (json || write(`\n${title}`)),
    ok: (what, detail = '') => say(true, what, detail),
    notOk(what, advice) {
      problems += 1;
      say(false, what, advice);
    },
    finish() {
      if (!json) write(`\n${problems === 0 ? 'all is well' : problems === 1 ? '1 problem' : `${problems} problems`}`);
      if (problems > 0) process.exitCode = 1;
    },
  };
}
