import { chunked, get, post, type Shape } from './shape.ts';
import { end, reset, type Step } from './wire.ts';

/** What comes in pieces, too early, too late or not at all. */
export const timing: Readonly<Record<string, Shape>> = {
  pipelining: (draw) => {
    const count = 2 + draw.upTo(8);
    return { text: get('f').repeat(count), most: count, mayPass: true };
  },
  'garbage behind a request': (draw) => ({
    text:
      get('f') +
      draw.of(['nonsense\r\n\r\n', '\r\n\r\n', '\0', 'x'.repeat(20_000), 'GET', post('Content-Length: -1\r\n')]),
    most: 2,
    mayPass: true,
  }),
  'byte by byte': (draw) => ({
    text: [...`GET /health HTTP/1.1\r\nHost: a\r\n${draw.of(['', 'X-A: b\r\n'])}\r\n`].flatMap((byte): Step[] => [
      byte,
      { pauseMs: 1 },
    ]),
    most: 1,
    mayPass: true,
  }),
  'a slow body': (draw) => ({
    text: [
      post('Content-Length: 20\r\n'),
      { pauseMs: 20 + draw.upTo(80) },
      '{"items"',
      { pauseMs: 20 + draw.upTo(80) },
      draw.of([end, reset, ':[]}', 'x'.repeat(12)]),
    ],
    most: 1,
  }),
  'an early end': (draw) => {
    const whole = draw.of([get('f'), post('Content-Length: 20\r\n', '{"items":[]'), post(chunked, 'ff\r\n{}')]);
    return { text: [whole.slice(0, 1 + draw.upTo(whole.length)), draw.of([end, reset])], most: 1, mayPass: true };
  },
  'gone before the answer': (draw) => ({
    text: [get('f'), { pauseMs: draw.upTo(4) }, reset],
    most: 1,
    mayPass: true,
  }),
  'an expectation': (draw) => ({
    text: [post('Content-Length: 2\r\nExpect: 100-continue\r\n'), { pauseMs: draw.upTo(20) }, draw.of(['{}', end])],
    most: 1,
  }),
  'an upgrade': (draw) => ({
    text: get(
      'f',
      draw.of([
        'Connection: Upgrade\r\nUpgrade: websocket\r\n',
        'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n',
      ]),
    ),
    most: 1,
    mayPass: true,
  }),
  'any bytes': (draw) => ({
    text: Array.from({ length: 1 + draw.upTo(300) }, () => String.fromCharCode(draw.upTo(256))).join(''),
    most: 1,
  }),
  'a byte changed': (draw) => {
    const whole = draw.of([
      get('f', 'Connection: close\r\n'),
      post('Content-Length: 2\r\nConnection: close\r\n', '{}'),
    ]);
    const at = draw.upTo(whole.length);
    return {
      text: whole.slice(0, at) + String.fromCharCode(draw.upTo(256)) + whole.slice(at + 1),
      most: 1,
      mayPass: true,
    };
  },
};
