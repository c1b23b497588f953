import type { Draw } from './draw.ts';
import type { Mutation } from './mutation.ts';
import { bytesOf, textOf, type Draft, type Workshop } from './request.ts';

const texts: Readonly<Record<string, (text: string, draw: Draw) => string>> = {
  'cut off': (text, draw) => text.slice(0, draw.upTo(text.length)),
  'a comma too many': (text) => text.replace(/[}\]]/, ',$&'),
  'garbage behind it': (text, draw) => text + draw.of([',', '}', 'x', '\0', text, '//', '\ufeff'].map(bytesOf)),
  'a mark before it': (text) => bytesOf('\ufeff') + text,
  'a comment': (text) => `/* a */${text}`,
  'single quotes': (text) => text.replaceAll('"', "'"),
  'bytes that are no UTF-8': (text, draw) =>
    text.replace(/"(?=[:,}\]])/, `${draw.of(['\xff', '\xc0\xaf', '\xed\xa0\x80', '\xf5\x80\x80\x80', '\xe2\x82'])}"`),
  'UTF-16': (text) => Buffer.from(`\ufeff${text}`, 'utf16le').toString('latin1'),
  nothing: () => '',
  blanks: (text, draw) => draw.of([' ', '\n\n', ' '.repeat(60_000) + text, `\x0b${text}`, bytesOf(`\u00a0${text}`)]),
  'another top': (_, draw) =>
    draw.of(['null', '[]', '"text"', '1', 'true', '{}', '[{}]', '-', '"', '{"":""}', '1e9999', '"\\ud800"']),
  'a field twice': (text) =>
    text.replace(/\{("(?:[^"\\]|\\.)*":)/, (whole, field: string) => `{${field}null,${whole.slice(1)}`),
  'deep nesting': (_, draw) => {
    const levels = draw.of([19, 20, 21, 22, 500, 10_000, 30_000]);
    return draw.oneIn(2) ? '['.repeat(levels) + ']'.repeat(levels) : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  },
  'very many values': (_, draw) => `[${'0,'.repeat(draw.of([1_998, 1_999, 2_000, 20_000]))}0]`,
  'many fields': () => `{${Array.from({ length: 3_000 }, (_, n) => `"f${n}":0`).join(',')}}`,
  'too large': (text, draw) => text.padEnd(65_536 + draw.of([-1, 0, 1, 100_000]), ' '),
  'another form': () => 'a=1&a=2&__proto__[x]=1&%ff=%zz',
};

const inText: readonly Mutation[] = Object.entries(texts).map(([name, write]) => ({
  name: `body: ${name}`,
  apply(draft: Draft, draw: Draw) {
    const { body } = draft;
    if (!body) return undefined;
    draft.body = { ...body, text: write(textOf(body.type, body.value), draw) };
    return 'any' as const;
  },
}));

const uncalledFor: Mutation = {
  name: 'a body that nobody asked for',
  apply(draft: Draft, draw: Draw, _: Workshop) {
    if (draft.operation.bodies.length > 0) return undefined;
    const type = draw.of(['application/json', 'text/plain', 'application/x-www-form-urlencoded']);
    draft.body = {
      type,
      value: {},
      schema: {},
      pointer: '',
      text: draw.of(['{}', '', 'x'.repeat(100), '{"a":', 'x'.repeat(70_000)]),
    };
    return 'any';
  },
};

/** The text that a body is. */
export const textMutations: readonly Mutation[] = [...inText, uncalledFor];
