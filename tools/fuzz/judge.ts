import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Conformity } from '../../services/gateway/test-conformity.ts';
import { securityHeaders } from '../../services/gateway/security-headers.ts';
import type { Malformed } from './malformed.ts';
import type { Draft, Request } from './request.ts';
import { smuggled } from './shape.ts';
import type { Answer } from './wire.ts';

/** What must not be read in a refusal: names of files and parts of ours, SQL, a stack. */
const internals =
  /node:|\/services\/|node_modules|\bat .*\.ts\b|\.ts:\d|dapr|postgres|\bpg_|select |insert into|ECONN|stack|zod|ajv/i;

/** More than any deadline of the gateway, and what a busy machine adds. */
const limitMs = 12_000;

/** Whether an answer says honestly that there is too much to do, or a part is away. */
export const isHonest = ({ status }: Answer): boolean => status === 503 || status === 429;

function parsed(text: string): unknown {
  try {
    return text === '' ? '' : JSON.parse(text);
  } catch {
    return text;
  }
}

const trimmed = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, one: unknown) => (typeof one === 'string' ? one.trim() : one)) as unknown;

/** Decides by the document whether a request with this body can only be refused. */
export function createBodyCheck(document: object) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'api');
  return ({ body }: Draft): boolean => {
    if (body?.text === undefined || body.type !== 'application/json' || body.pointer === '') return false;
    const bytes = Buffer.from(body.text, 'latin1');
    const text = bytes.toString('utf8');
    const json = text.replace(/^\ufeff/, ''); // which a reader may pass over (RFC 8259, 8.1)
    if (text === '') return false; // which may be no body at all
    try {
      const validate = ajv.getSchema(`api#${encodeURI(body.pointer)}`);
      const value: unknown = JSON.parse(json);
      // Blanks at the ends of some texts are taken away before they are looked at, which no schema can say.
      const isAllowed = validate?.(value) === true || validate?.(trimmed(value)) === true;
      return !isAllowed || !Buffer.from(text, 'utf8').equals(bytes);
    } catch {
      return true;
    }
  };
}

/** What is wrong with an answer to a request, in words; nothing, if it is as it must be. */
export function faultsOf(
  { request, answer, refused }: { request: Request; answer: Answer; refused: boolean },
  conformity: Conformity,
): string[] {
  const { status, headers, text, ms, surplus } = answer;
  const path = request.target.split('?')[0] ?? '';
  const type = headers['content-type'];
  const body = type !== undefined && /json/.test(type) ? parsed(text) : text;
  const { problem } =
    request.method === 'HEAD'
      ? { problem: text === '' ? undefined : 'a body' }
      : conformity({ method: request.method, path, status, body, ...(type !== undefined && { type }) });
  const ids = request.headers.filter(([name]) => name === 'x-request-id').map(([, value]) => value);
  const [id = ''] = ids;
  // Where no request could be read, there is no id to give back.
  const isUnread = answer.closes && [400, 408, 413, 414, 431].includes(status);
  return [
    ...(problem === undefined ? [] : [`not as published: ${problem.replaceAll(/\d{4,}/g, 'n').slice(0, 200)}`]),
    ...commonFaults(answer),
    ...(refused && status < 400 ? [`accepted with ${status}`] : []),
    ...(ms > limitMs ? [`answered after more than ${limitMs} ms`] : []),
    ...(surplus === '' ? [] : ['more came than the answer']),
    ...(!isUnread && ids.length === 1 && /^[\w.:-]{1,64}$/.test(id) && headers['x-request-id'] !== id
      ? ['the answer to another request']
      : []),
    ...(status === 405 && headers['allow'] === undefined ? ['405 without Allow'] : []),
    ...(status === 401 && headers['www-authenticate'] === undefined ? ['401 without WWW-Authenticate'] : []),
  ];
}

function commonFaults(answer: Answer): string[] {
  const { status, headers, text } = answer;
  const pause = headers['retry-after'];
  const isHealth = status === 503 && text.startsWith('{"status":"');
  return [
    ...(status >= 500 && !isHonest(answer) ? [`${status}`] : []),
    ...(isHonest(answer) && !isHealth && !/^[1-9]\d*$/.test(pause ?? '') ? [`${status} without Retry-After`] : []),
    ...(status >= 400 && internals.test(text) ? [`internals in a ${status}: ${internals.exec(text)?.[0]}`] : []),
    ...Object.keys(securityHeaders)
      .filter((name) => headers[name] === undefined)
      .map((name) => `no ${name}`),
    ...(headers['x-request-id'] === undefined ? ['no X-Request-Id'] : []),
    ...['x-powered-by', 'server'].filter((name) => headers[name] !== undefined).map((name) => `${name} is told`),
  ];
}

/** What is wrong with the answers to a malformed conversation. */
export function faultsOfConversation(
  { most, mayPass }: Malformed,
  { answers, rest }: { answers: readonly Answer[]; rest: string },
  conformity: Conformity,
): string[] {
  return [
    ...(answers.length > most ? [`${answers.length} answers instead of ${most}`] : []),
    ...(rest === '' || answers.length === 0 ? [] : ['half an answer']),
    ...answers.flatMap((answer) => [
      ...commonFaults(answer),
      ...(answer.headers['x-request-id'] === smuggled ? ['what was smuggled in was answered'] : []),
      ...(answer.status < 400 && !mayPass ? [`accepted with ${answer.status}`] : []),
      ...(answer.status >= 400 && answer.text !== '' ? problemFaults(answer, conformity) : []),
    ]),
  ];
}

function problemFaults({ status, headers, text }: Answer, conformity: Conformity): string[] {
  const { problem } = conformity({
    method: 'GET',
    path: '//',
    status,
    body: parsed(text),
    type: headers['content-type'] ?? '',
  });
  return problem === undefined ? [] : [`not as published: ${problem}`];
}
