import { chunked, get, type Shape } from './shape.ts';

/** What a parser of heads can trip over. */
export const heads: Readonly<Record<string, Shape>> = {
  'a folded header': (draw) => ({
    text: get('f', `X-A: a\r\n${draw.of([' ', '\t'])}Transfer-Encoding: chunked\r\n`),
    most: 1,
    mayPass: true,
  }),
  'a bare line feed': (draw) => ({
    text: draw.of([
      get('f').replaceAll('\r\n', '\n'),
      get('f', 'X-A: b\nX-B: c\r\n'),
      get('f').replace('\r\n', '\n'),
      get('f').replaceAll('\r\n', '\r'),
    ]),
    most: 1,
    mayPass: true,
  }),
  'an odd byte in a header': (draw) => {
    const byte = draw.of(['\0', '\x01', '\x0b', '\x0c', '\x1b', '\x7f', '\x08']);
    return {
      text: get('f', draw.of([`X-A: a${byte}b\r\n`, `X${byte}A: b\r\n`, `${byte}: b\r\n`, `Host: b${byte}\r\n`])),
      most: 1,
      mayPass: true,
    };
  },
  'a header that is none': (draw) => ({
    text: get(
      'f',
      `${draw.of(['nonsense', ': a', ' X: a', 'X-A : a', 'X A: a', 'X-A\t: a', '(): a', '{"a": 1}', '\xff: a', '='])}\r\n`,
    ),
    most: 1,
    mayPass: true,
  }),
  hosts: (draw) => {
    const host = draw.of([
      '',
      'Host: \r\n',
      'Host: a\r\nHost: b\r\n',
      'Host: a, b\r\n',
      'Host: a b\r\n',
      'Host: a@b\r\n',
      `Host: ${'x'.repeat(5_000)}\r\n`,
      'Host: [::1\r\n',
      'Host: a:99999\r\n',
    ]);
    return { text: `GET /health HTTP/1.1\r\n${host}\r\n`, most: 1, mayPass: true };
  },
  targets: (draw) => {
    const target = draw.of([
      ...[
        'http://a/api/products/1',
        'http://evil.example/',
        '//evil.example/',
        'health',
        '*',
        '?',
        '#',
        '/#x',
        '/health#x',
        'a:443',
        '/\\',
        '/ x',
        '/\x01',
        '/\xff',
        '',
      ],
      ...[
        'http://',
        'http://[',
        'file:///etc/passwd',
        'javascript:1',
        '/health?a b',
        `/${'x'.repeat(5_000)}`,
        `/${'x'.repeat(20_000)}`,
        '/'.repeat(4_000),
        `/?${'a&'.repeat(2_000)}`,
      ],
      ...[
        '/api/%2e%2e/',
        '/..;/',
        '/%',
        '/\x00',
        '/\t',
        'HTTP/1.1',
        `/api/products?${'%00'.repeat(500)}`,
        '/api/products/1%',
      ],
    ]);
    return {
      text: `${draw.of(['GET', 'POST', 'OPTIONS', 'CONNECT'])} ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`,
      most: 1,
      mayPass: true,
    };
  },
  'a request line that is none': (draw) => ({
    text: `${draw.of([
      ...[
        '',
        ' ',
        'GET',
        'GET /',
        'GET / HTTP',
        'GET / HTTP/2.0',
        'GET / HTTP/1.2',
        'GET / HTTP/0.9',
        'GET / http/1.1',
        'GET  /  HTTP/1.1',
        'GET\t/\tHTTP/1.1',
      ],
      ...[
        'get / HTTP/1.1',
        'G\0T / HTTP/1.1',
        'BREW / HTTP/1.1',
        'PRI * HTTP/2.0',
        `${'A'.repeat(5_000)} / HTTP/1.1`,
        'GET / HTTP/1.1 x',
        '\xff\xfe / HTTP/1.1',
        'hello',
      ],
      ...[
        'GET / HTTP/11',
        'GET / HTTP/1.1\0',
        '{"a":1}',
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
        'HELO a',
        '*1',
        'CONNECT a:443 HTTP/1.1',
        'TRACE / HTTP/1.1',
      ],
    ])}\r\nHost: a\r\n\r\n`,
    most: 1,
    mayPass: true,
  }),
  'large headers': (draw) => ({
    text: get(
      'f',
      draw.of([
        `X-A: ${'x'.repeat(20_000)}\r\n`,
        'X-A: aaaaaaaaaaaaaaaaa\r\n'.repeat(1_000),
        `${'X'.repeat(17_000)}: a\r\n`,
        'a:b\r\n'.repeat(1_900),
      ]),
    ),
    most: 1,
    mayPass: true,
  }),
  'HTTP/1.0': (draw) => ({
    text: `GET /health HTTP/1.0\r\n${draw.of(['', 'Host: a\r\n', 'Connection: keep-alive\r\n', chunked])}\r\n`,
    most: 1,
    mayPass: true,
  }),
};
