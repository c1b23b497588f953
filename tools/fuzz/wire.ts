import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  /** By their names in lower case; values of one name joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** As UTF-8. */
  readonly text: string;
  readonly ms: number;
  /** What came behind it that nobody had asked for. */
  readonly surplus: string;
  /** The server ends the connection with it. */
  readonly closes: boolean;
}

// A stream has no end: its head is all that is waited for.
const isStream = (headers: Readonly<Record<string, string>>) => headers['content-type'] === 'text/event-stream';

type Parsed = { status: number; headers: Record<string, string>; body: Buffer; used: number };

/** The first answer in some bytes, `more` while it is not whole; fails where they are none. Interim ones are passed over. */
export function parseAnswer(bytes: Buffer, { head = false, ended = false } = {}): Parsed | 'more' {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return 'more';
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1]);
  if (Number.isNaN(status)) throw new Error(`no status line: ${first.slice(0, 80)}`);
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`no header: ${line.slice(0, 80)}`);
    const before = headers[name.toLowerCase()];
    headers[name.toLowerCase()] = before === undefined ? value : `${before}, ${value}`;
  }
  const start = end + 4;
  if (status < 200) {
    const rest = parseAnswer(bytes.subarray(start), { head, ended });
    return rest === 'more' ? 'more' : { ...rest, used: rest.used + start };
  }
  const done = (body: Buffer, used: number): Parsed => ({ status, headers, body, used });
  if (head || status === 204 || status === 304) return done(Buffer.alloc(0), start);
  if (isStream(headers)) return done(Buffer.alloc(0), bytes.length);
  if (headers['transfer-encoding'] !== undefined) {
    const chunks = readChunks(bytes, start);
    return chunks === 'more' ? 'more' : done(chunks.body, chunks.used);
  }
  const length = headers['content-length'];
  if (length === undefined) return ended ? done(bytes.subarray(start), bytes.length) : 'more';
  if (!/^\d+$/.test(length)) throw new Error(`content-length: ${length}`);
  const whole = start + Number(length);
  return bytes.length < whole ? 'more' : done(bytes.subarray(start, whole), whole);
}

function readChunks(bytes: Buffer, start: number): { body: Buffer; used: number } | 'more' {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return 'more';
    const text = bytes.toString('latin1', at, line);
    if (!/^[0-9a-f]+$/i.test(text)) throw new Error(`no chunk: ${text.slice(0, 40)}`);
    const size = Number.parseInt(text, 16);
    const next = line + 2 + size + 2;
    if (bytes.length < next) return 'more';
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    if (size === 0) return { body: Buffer.concat(parts), used: next };
    at = next;
  }
}

const answerOf = ({ status, headers, body, used }: Parsed, bytes: Buffer, ms: number): Answer => ({
  ...{ status, headers, ms, text: body.toString('utf8') },
  surplus: bytes.toString('latin1', used, used + 200),
  closes: isStream(headers) || /\bclose\b/i.test(headers['connection'] ?? ''),
});

/** One connection after another to a port of this machine, with one request at a time on each. */
export function openLane(port: number) {
  let socket: Socket | undefined;

  const open = async (): Promise<Socket> => {
    const made = connect({ port, host: '127.0.0.1', noDelay: true });
    made.on('error', () => undefined);
    await once(made, 'connect');
    return made;
  };

  /** The answer to a request; of a stream only its head. Fails when there is none within the limit, or none that can be read. */
  async function exchange(request: Buffer, { head = false, limitMs = 15_000 } = {}): Promise<Answer> {
    const reused = socket !== undefined && !socket.destroyed && !socket.readableEnded;
    const used = reused && socket ? socket : await open();
    socket = used;
    const started = performance.now();
    let received = Buffer.alloc(0);
    const { promise, resolve, reject } = Promise.withResolvers<Answer | 'closed'>();
    const look = (ended: boolean) => {
      try {
        const parsed = parseAnswer(received, { head, ended });
        const ms = performance.now() - started;
        if (parsed !== 'more') resolve(answerOf(parsed, received, ms));
        else if (ended) resolve('closed');
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const take = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      look(false);
    };
    const end = () => look(true);
    const timer = setTimeout(() => reject(new Error(`no whole answer within ${limitMs} ms`)), limitMs);
    used.on('data', take).on('close', end);
    used.write(request);
    try {
      const answer = await promise;
      if (answer !== 'closed') {
        if (answer.closes || answer.surplus !== '') used.destroy();
        return answer;
      }
      used.destroy();
      // It had been closed for idling before this request came.
      if (reused && received.length === 0) return await exchange(request, { head, limitMs });
      throw new Error(received.length === 0 ? 'closed without a word' : 'closed within an answer');
    } catch (error) {
      used.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
      used.off('data', take).off('close', end);
    }
  }

  return { exchange, close: () => void socket?.destroy() };
}

/** What is done on a raw connection: bytes (one a character), a pause, the end of what is sent, or a reset. */
export type Step = string | { readonly pauseMs: number } | { readonly finish: 'end' | 'reset' };
export const end: Step = { finish: 'end' };
export const reset: Step = { finish: 'reset' };

/** Speaks on a connection of its own and gives all answers; says no more once nothing has come for `quietMs`. */
export async function converse(
  port: number,
  steps: readonly Step[],
  { expected = Number.POSITIVE_INFINITY, quietMs = 400, limitMs = 15_000 } = {},
): Promise<{ answers: Answer[]; rest: string }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const started = performance.now();
  let received = Buffer.alloc(0);
  const answers: Answer[] = [];
  let broken: Error | undefined;
  const look = (ended = false) => {
    try {
      for (let parsed = parseAnswer(received, { ended }); parsed !== 'more' && received.length > 0;) {
        answers.push({ ...answerOf(parsed, received, performance.now() - started), surplus: '' });
        received = received.subarray(parsed.used);
        parsed = parseAnswer(received, { ended });
      }
    } catch (error) {
      broken = error instanceof Error ? error : new Error(String(error));
    }
    if (answers.length >= expected && answers.at(-1)?.closes !== true) socket.end();
  };
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    look();
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  const limit = setTimeout(() => socket.destroy(new Error('out of time')), limitMs);
  await Promise.race([once(socket, 'connect'), closed]);
  for (const step of steps) {
    if (socket.destroyed || socket.writableEnded) break;
    if (typeof step === 'string') socket.write(Buffer.from(step, 'latin1'));
    else if ('pauseMs' in step) await delay(step.pauseMs);
    else if (step.finish === 'end') socket.end();
    else socket.resetAndDestroy();
  }
  socket.setTimeout(quietMs, () => socket.end());
  await closed;
  clearTimeout(limit);
  look(true);
  const tooLong = performance.now() - started >= limitMs;
  if (broken ?? tooLong) throw broken ?? new Error(`the connection was not ended within ${limitMs} ms`);
  return { answers, rest: received.toString('latin1', 0, 200) };
}
