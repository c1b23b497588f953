import type { Person, Request } from './request.ts';
import type { Step } from './wire.ts';

/** Bytes, one a character, as a word of bash that curl or printf takes as they are. */
const quoted = (bytes: string): string =>
  /^[\x20-\x7e]*$/.test(bytes) && !bytes.includes("'")
    ? `'${bytes}'`
    : `$'${bytes.replace(/[^\x20-\x7e]|['\\]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}'`;

const longest = 4_000;
const shortened = (text: string) =>
  text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters)`;

/** A line of bash that sends the request again; NUL, which no word of bash holds, goes through printf. */
export function curlLine({ method, target, headers, body }: Request, person: Person | undefined): string {
  const token = person && `"authorization: Bearer $(make -s token user=${person.name} role=${person.roles.join(',')})"`;
  const flags = headers
    .filter(([name]) => !['host', 'content-length'].includes(name))
    .map(([name, value]) => {
      if (name === 'authorization' && token !== undefined) return `-H ${token}`;
      return `-H ${quoted(value.trim() === '' ? `${name};` : `${name}: ${value}`)}`;
    });
  const data = body === undefined ? [] : body.includes('\0') ? ['--data-binary @-'] : [`--data-binary ${quoted(body)}`];
  const piped =
    body?.includes('\0') === true
      ? `printf %b ${quoted(body.replaceAll('\\', '\\\\').replaceAll('\0', '\\0'))} | `
      : '';
  const verb = method === 'HEAD' ? '-I' : `-X ${quoted(method)}`;
  const url = `--path-as-is -g ${quoted(`http://127.0.0.1:8080${target}`)}`;
  return shortened(`${piped}${['curl -i', verb, ...flags, ...data, url].join(' ')}`);
}

/** A line of bash that holds the malformed conversation again. */
export function rawLine(steps: readonly Step[]): string {
  const parts = steps.flatMap((step) => {
    if (typeof step === 'object') return 'pauseMs' in step ? [`sleep ${step.pauseMs / 1_000}`] : [];
    return [`printf %b ${quoted(step.replaceAll('\\', '\\\\').replaceAll('\0', '\\0'))}`];
  });
  return shortened(`(${parts.join('; ')}) | nc 127.0.0.1 8080`);
}
