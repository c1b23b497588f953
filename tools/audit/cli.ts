import { parseArgs } from 'node:util';
import { causeOf } from '../../services/_chassis/errors.ts';
import { connectionAdvice, databasesOf } from '../connections.ts';
import { createProgressLine } from '../progress-line.ts';
import { audit } from './audit.ts';
import { printReport } from './print.ts';

const usage = `usage: audit [--home folder] [--log client-log.jsonl] [--timeout seconds] [--gateway url] [--json]`;
const couldNotRun = 2;

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      home: { type: 'string', default: '.' },
      log: { type: 'string', default: '' },
      timeout: { type: 'string', default: '60' },
      gateway: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  const seconds = Number(values.timeout === '' ? '60' : values.timeout);
  if (!Number.isFinite(seconds) || seconds < 0)
    throw new Error(`--timeout ${values.timeout} is not a number of seconds`);
  const progress = createProgressLine(process.stderr);
  const report = await audit({
    databases: await databasesOf(values.home === '' ? '.' : values.home),
    drainTimeoutMs: seconds * 1_000,
    clientLog: values.log === '' ? undefined : values.log,
    gateway: values.gateway === '' ? undefined : values.gateway,
    onProgress: progress.show,
  }).finally(progress.clear);
  console.log(values.json ? JSON.stringify(report, undefined, 2) : printReport(report));
  return report.clean ? 0 : 1;
}

try {
  process.exitCode = await run();
} catch (error) {
  const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  console.error(`audit: ${connectionAdvice(error) ?? causeOf(error)}${isUsage ? `\n${usage}` : ''}`);
  process.exitCode = couldNotRun;
}
