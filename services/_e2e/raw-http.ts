import { once } from 'node:events';
import { connect } from 'node:net';

/** What a server made of some bytes; status 0 when it closed without a word. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Bytes that are no request any client library would send, and the status each must get. */
export const malformedRequests: readonly { name: string; text: string; expect: number }[] = [
  { name: 'no HTTP at all', text: 'hello\r\n\r\n', expect: 400 },
  { name: 'a TLS greeting', text: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', expect: 400 },
  { name: 'an unknown version', text: 'GET / HTTP/9.9\r\nHost: a\r\n\r\n', expect: 400 },
  { name: 'the preface of HTTP/2', text: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', expect: 400 },
  { name: 'an invented method', text: 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n', expect: 400 },
  { name: 'no host', text: 'GET / HTTP/1.1\r\n\r\n', expect: 400 },
  { name: 'a header without a colon', text: 'GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n', expect: 400 },
  { name: 'a blank before the colon', text: 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', expect: 400 },
  { name: 'NUL in a header', text: 'GET / HTTP/1.1\r\nHost: a\r\nX-A: \0\r\n\r\n', expect: 400 },
  { name: 'NUL in the target', text: 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', expect: 400 },
  { name: 'a proxy request', text: 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', expect: 400 },
  { name: 'a negative length', text: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', expect: 400 },
  {
    name: 'two lengths',
    text: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    expect: 400,
  },
  {
    name: 'a length and chunks',
    text: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    expect: 400,
  },
  { name: 'a header of 20 KB', text: `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(20_000)}\r\n\r\n`, expect: 431 },
  {
    name: 'a thousand headers',
    text: `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: aaaaaaaaaaaaaaaaa\r\n'.repeat(1_000)}\r\n`,
    expect: 431,
  },
  { name: 'a target of 20 KB', text: `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, expect: 414 },
  { name: 'a target of 8 KB', text: `GET /${'x'.repeat(8_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, expect: 414 },
  { name: 'an asterisk', text: 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', expect: 404 },
  ...['http://[', 'http://a:99999/', 'mailto:', 'file:///etc/passwd'].map((target) => ({
    name: `the target ${target}`,
    text: `OPTIONS ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
    expect: 400,
  })),
  { name: 'a target without a slash', text: 'GET health HTTP/1.1\r\nHost: a\r\n\r\n', expect: 400 },
];

/**
 * Sends text (one byte a character) to a loopback port and gives the first answer as soon as it is whole; one that says
 * that the connection ends, or any with `untilClosed`, only once the server has closed it. Gives up after `silentMs`.
 */
export async function sendRaw(
  port: number,
  text: string,
  { silentMs = 8_000, untilClosed = false } = {},
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received += chunk;
    const { headers, body } = split(received);
    const length = Number(/content-length: (\d+)/.exec(headers)?.[1] ?? Number.POSITIVE_INFINITY);
    if (!untilClosed && body.length >= length && !headers.includes('connection: close')) socket.destroy();
  });
  socket.on('error', () => undefined); // a reset is the server's way to hang up
  socket.setTimeout(silentMs, () => socket.destroy());
  const closed = once(socket, 'close');
  socket.write(Buffer.from(text, 'latin1'));
  await closed;
  return split(received);
}

function split(received: string): RawAnswer {
  const end = received.indexOf('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0),
    headers: received.slice(0, Math.max(0, end)).toLowerCase(),
    body: end < 0 ? '' : received.slice(end + 4),
  };
}
