import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { conformityTo } from '../../services/gateway/test-conformity.ts';
import { securityHeaders } from '../../services/gateway/security-headers.ts';
import { readApi } from './document.ts';
import { drawsOf } from './draw.ts';
import { createBodyCheck, faultsOf, faultsOfConversation } from './judge.ts';
import { malformed } from './malformed.ts';
import { mutate, mutations } from './mutate.ts';
import { textMatching } from './pattern.ts';
import { curlLine } from './replay.ts';
import { finish, serialise, textOf, validDraft, type Workshop } from './request.ts';
import { smuggled } from './shape.ts';
import { collectThings } from './things.ts';
import { parseAnswer, type Answer } from './wire.ts';

const text = readFileSync(new URL('../../contracts/openapi.json', import.meta.url), 'utf8');
const document = z.looseObject({}).parse(JSON.parse(text));
const api = readApi(document);
const conformity = conformityTo(document);
const things = collectThings(api.operations);
const people = [
  { name: 'ada', roles: ['customer'] },
  { name: 'ben', roles: ['customer'] },
  { name: 'staff', roles: ['staff'] },
];
const workshop: Workshop = {
  ...{ api, things, people, tokens: new Map(people.map(({ name }) => [name, `${name}.b.c`])) },
  allowed: () => ['ada', 'ben'],
};
for (const { list, id } of [
  { list: '/api/orders', id: 'o-1' },
  { list: '/api/products', id: 'p-1' },
]) {
  const operation = api.operations.find(({ path }) => path === list);
  if (operation) things.learn(operation, 'ada', { target: list, location: `${list}/${id}`, etag: '"1"', body: {} });
}
const draftOf = (n: number, operation = drawsOf(7, n).of(api.operations)) =>
  validDraft(workshop, operation, drawsOf(1, n), { n: `n${n}` });

describe('the document', () => {
  it('when it says that an operation shows a page, that is for people', () => {
    expect(api.operations.find(({ id }) => id === 'placeOrder')?.isPage).toBe(false);
    const html = { 200: { content: { 'text/html': { schema: { type: 'string' } } } } };
    const paths = { '/account': { get: { operationId: 'showAccount', responses: html } } };
    expect(readApi({ paths }).operations[0]?.isPage).toBe(true);
  });
});

describe('a valid request', () => {
  it('when it has a body, that is as its schema says, however often one is made', () => {
    const isBad = createBodyCheck(document);
    for (const operation of api.operations.filter(({ bodies }) => bodies.length > 0)) {
      for (let n = 0; n < 200; n += 1) {
        const draft = draftOf(n, operation);
        if (draft.body) draft.body.text = textOf(draft.body.type, draft.body.value);
        expect([operation.id, isBad(draft), draft.body?.text]).toEqual([operation.id, false, draft.body?.text]);
      }
    }
  });

  it('when it is about something, that is something that an answer has named', () => {
    const operation = api.operations.find(({ id }) => id === 'cancelOrder');
    expect(draftOf(1, operation)).toMatchObject({
      path: '/api/orders/o-1/cancellation',
      thing: { by: 'ada', made: true },
    });
  });

  it('when the seed is the same, it is the same, mutation and all', () => {
    const bytesOf = (n: number) => {
      const draft = draftOf(n);
      mutate(draft, drawsOf(2, n), workshop);
      return serialise(finish(draft, workshop.tokens)).toString('latin1');
    };
    const all = () => Array.from({ length: 100 }, (_, n) => bytesOf(n));
    expect(all()).toEqual(all());
    expect(new Set(all()).size).toBeGreaterThan(95);
  });
});

describe('mutations', () => {
  it.each(mutations)('when it is "$name", it applies to something', (mutation) => {
    const outcomes = Array.from({ length: 400 }, (_, n) => mutation.apply(draftOf(n), drawsOf(3, n), workshop));
    expect(outcomes.some((outcome) => outcome !== undefined)).toBe(true);
  });

  it('when a field is unknown, a token forged or a value out of bounds, no success is right', () => {
    const isBad = createBodyCheck(document);
    const draft = draftOf(
      1,
      api.operations.find(({ id }) => id === 'placeOrder'),
    );
    if (!draft.body) throw new Error('an order has a body');
    draft.body.text = '{"items":[{"productId":"1","quantity":101}],"paymentToken":"tok_ok"}';
    expect(isBad(draft)).toBe(true);
    const forged = mutations.find(({ name }) => name === 'token: alg none');
    expect(forged?.apply(draft, drawsOf(1, 1), workshop)).toBe('refused');
  });
});

describe('textMatching', () => {
  it.each([
    ...[
      '^[a-z]+(-[a-z]+)*$',
      '^[^\\p{Cc}\\p{Cs}]{1,120}$',
      '^(0|[1-9]\\d{0,8})$',
      '^urn:x:',
      '^[\\w.:-]{1,64}$',
      'a|b{2}',
    ],
    "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$",
  ])('when the pattern is %s, the text is as it says', (pattern) => {
    for (let n = 0; n < 50; n += 1) expect(textMatching(pattern, drawsOf(1, n))).toMatch(new RegExp(pattern, 'u'));
  });
  it('when nothing can match, it says so', () => {
    expect(() => textMatching('^a(?=b)$', drawsOf(1, 1))).toThrow('no text was found');
  });
});

describe('parseAnswer', () => {
  const whole = (head: string, body: string) => Buffer.from(`HTTP/1.1 ${head}\r\n\r\n${body}`);
  const answers = {
    sized: whole('200 OK\r\nContent-Length: 2', 'ab'),
    chunked: whole('200 OK\r\nTransfer-Encoding: chunked', '1\r\na\r\n1\r\nb\r\n0\r\n\r\n'),
    continued: Buffer.concat([whole('100 Continue', ''), whole('200 OK\r\nContent-Length: 2', 'ab')]),
  };
  it.each(Object.entries(answers))('when a %s one comes in pieces, it is whole with the last', (_, bytes) => {
    for (let length = 0; length < bytes.length; length += 1)
      expect(parseAnswer(bytes.subarray(0, length))).toBe('more');
    const parsed = parseAnswer(Buffer.concat([bytes, Buffer.from('HTTP/1.1 200')]));
    expect(parsed).toMatchObject({ status: 200, used: bytes.length });
    expect(parsed !== 'more' && parsed.body.toString()).toBe('ab');
  });
  it('when it is none, it throws', () => {
    expect(() => parseAnswer(whole('200 OK\r\nnonsense', ''))).toThrow('no header');
    expect(() => parseAnswer(Buffer.from('oh\r\n\r\n'))).toThrow('no status line');
  });
});

describe('the judge', () => {
  const problem = (status: number, code: string, more: object = {}) =>
    JSON.stringify({
      type: `urn:sidecart:problem:${code}`,
      status,
      code,
      title: 'T',
      traceId: 'a'.repeat(32),
      ...more,
    });
  const headers = { ...securityHeaders, 'content-type': 'application/problem+json', 'x-request-id': 'n1' };
  const good: Answer = { status: 404, headers, text: problem(404, 'not-found'), ms: 1, surplus: '', closes: false };
  const request = finish(
    draftOf(
      1,
      api.operations.find(({ id }) => id === 'getProduct'),
    ),
    workshop.tokens,
  );
  const found = (change: Partial<Answer>, refused = false) =>
    faultsOf({ request, answer: { ...good, ...change }, refused }, conformity).join('; ');

  it('when all is as it must be, finds nothing', () => {
    expect(found({})).toBe('');
    expect(found({ status: 503, text: problem(503, 'overloaded'), headers: { ...headers, 'retry-after': '1' } })).toBe(
      '',
    );
  });

  const without = { 'content-type': 'application/problem+json', 'x-request-id': 'n1' };
  it.each<[string, Partial<Answer>, string]>([
    ['a 500', { status: 500, text: problem(500, 'internal') }, '500'],
    ['a status that is not published', { status: 418, text: problem(418, 'not-found') }, '418 is not documented'],
    ['a code of another route', { status: 404, text: problem(404, 'bad-cursor') }, 'not as published'],
    [
      'HTML',
      { text: '<pre>Cannot GET</pre>', headers: { ...headers, 'content-type': 'text/html' } },
      'a body of type text/html',
    ],
    ['a stack', { text: problem(404, 'not-found', { detail: 'at run (node:internal)' }) }, 'internals in a 404'],
    ['SQL', { text: problem(404, 'not-found', { detail: 'select * from x' }) }, 'internals in a 404'],
    ['503 without Retry-After', { status: 503, text: problem(503, 'overloaded') }, '503 without Retry-After'],
    ['a security header missing', { headers: without }, 'no cache-control'],
    ['the server named', { headers: { ...headers, 'x-powered-by': 'Express' } }, 'x-powered-by is told'],
    [
      'an answer to another request',
      { headers: { ...headers, 'x-request-id': 'n2' } },
      'the answer to another request',
    ],
    ['bytes behind it', { surplus: 'HTTP/1.1 200 OK' }, 'more came than the answer'],
    ['too late', { ms: 60_000 }, 'answered after more than'],
  ])('when it is %s, says so', (_, change, fault) => {
    expect(found(change)).toContain(fault);
  });

  it('when what must be refused succeeds, says so', () => {
    const body = { id: '1', name: 'L', category: 'home', price: { amount: 1, currency: 'EUR' }, version: 1 };
    const json = { ...headers, 'content-type': 'application/json' };
    expect(found({ status: 200, text: JSON.stringify(body), headers: json })).toBe('');
    expect(found({ status: 200, text: JSON.stringify(body), headers: json }, true)).toBe('accepted with 200');
    expect(found({ status: 200, text: JSON.stringify({ ...body, cost: 1 }), headers: json })).toContain(
      'not as published',
    );
  });

  it('when smuggled bytes are answered, or more answers come than were asked for, says so', () => {
    const conversation = { name: 'x', steps: [], most: 1, mayPass: true };
    const second = { ...good, headers: { ...headers, 'x-request-id': smuggled } };
    const faults = faultsOfConversation(conversation, { answers: [good, second], rest: '' }, conformity);
    expect(faults).toEqual(['2 answers instead of 1', 'what was smuggled in was answered']);
  });
});

describe('a line to send it again', () => {
  it('when bash reads it, body, headers and target are what was sent', () => {
    const body = Buffer.from('{"a\'":"\\n\u202e💥 $(id) `x` !"}').toString('latin1');
    const request = { method: 'POST', target: "/a'b?c=$d", headers: [['x-a', 'b"\xff']] as const, body };
    const script = `curl() { printf '%s\\0' "$@"; }; ${curlLine(request, undefined)}`;
    const words = execFileSync('bash', ['-c', script], { encoding: 'latin1' }).split('\0');
    expect(words).toEqual(expect.arrayContaining([body, 'x-a: b"\xff', "http://127.0.0.1:8080/a'b?c=$d", 'POST']));
  });
});

describe('malformed conversations', () => {
  it('when many are drawn, there are many kinds, and the same for the same seed', () => {
    const all = () => Array.from({ length: 300 }, (_, n) => malformed(drawsOf(1, n)));
    expect(all()).toEqual(all());
    expect(new Set(all().map(({ name }) => name)).size).toBeGreaterThan(20);
  });
});
