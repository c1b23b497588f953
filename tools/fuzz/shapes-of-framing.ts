import { chunked, inner, post, smuggled, type Shape } from './shape.ts';

/** What a proxy and a server can understand differently (RFC 9112, 11.2). */
export const framing: Readonly<Record<string, Shape>> = {
  'a length and chunks': (draw) => ({
    text: post(draw.of([`Content-Length: 6\r\n${chunked}`, `${chunked}Content-Length: 6\r\n`]), `0\r\n\r\n${inner}`),
    most: 1,
  }),
  'chunks in disguise': (draw) => ({
    text: post(
      `Content-Length: ${inner.length + 5}\r\n${draw.of([
        ...[
          'Transfer-Encoding: xchunked',
          'Transfer-Encoding : chunked',
          'Transfer-Encoding: chunked, identity',
          'Transfer-Encoding:\x0bchunked',
        ],
        ...[
          'Transfer-Encoding: identity, chunked',
          'Transfer-Encoding: "chunked"',
          'Transfer-Encoding:\r\n chunked',
          'X: x\nTransfer-Encoding: chunked',
        ],
        ...[
          'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
          'Transfer-Encoding: gzip, chunked',
          'Transfer_Encoding: chunked\x00',
        ],
      ])}\r\n`,
      `0\r\n\r\n${inner}`,
    ),
    most: 1,
  }),
  'a foreign coding': (draw) => ({
    text: post(`Transfer-Encoding: ${draw.of(['gzip', 'identity', 'chunked, chunked', 'x'])}\r\n`, inner),
    most: 1,
  }),
  'two lengths': (draw) => {
    const [one, two] = draw.of([
      ['0', String(inner.length)],
      ['5', '6'],
      ['5', '5, 6'],
      ['1', '01'],
    ] as const);
    return { text: post(`Content-Length: ${one}\r\nContent-Length: ${two}\r\n`, inner), most: 1 };
  },
  'a length that is none': (draw) => {
    const length = draw.of([
      '-1',
      '+5',
      '0x5',
      '5a',
      '1e1',
      '',
      ' ',
      '5,5',
      '9'.repeat(30),
      '5 5',
      '\x005',
      '5\x00',
      '5;5',
    ]);
    return { text: post(`Content-Length: ${length}\r\n`, inner), most: 2 };
  },
  'chunk sizes that are none': (draw) => {
    const size = draw.of([
      'zz',
      '-1',
      '0x5',
      '+5',
      '5 5',
      'f'.repeat(17),
      '5;\n',
      '5\n',
      '',
      ' 5',
      '\x005',
      '1'.repeat(5_000),
      `5;${'x'.repeat(20_000)}`,
    ]);
    return { text: post(chunked, `${size}\r\nhello\r\n0\r\n\r\n${inner}`), most: 2 };
  },
  'chunks with a wrong end': (draw) => ({
    text: post(
      chunked,
      draw.of([
        '5\r\nhelloX\r\n0\r\n\r\n',
        '5\r\nhello\n0\n\n',
        '5\r\nhell',
        '5\rhello\r0\r\r',
        '0\r\n',
        `0\r\n${smuggled}\r\n\r\n`,
      ]) + inner,
    ),
    most: 2,
  }),
  trailers: (draw) => ({
    text: post(
      chunked,
      `0\r\n${draw.of(['Content-Length: 5', 'Host: b', 'Transfer-Encoding: chunked', 'X-A: \0', `X-A: ${'x'.repeat(20_000)}`])}\r\n\r\n`,
    ),
    most: 1,
  }),
};
