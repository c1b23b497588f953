import type { Draw } from './draw.ts';

const letters = 'abcdefghijklmnopqrstuvwxyz';
const signs = ` !"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`;
const alphabet = [
  ...letters,
  ...letters.toUpperCase(),
  ...'0123456789',
  ...signs,
  'é',
  'ß',
  'Ж',
  '漢',
  '😀',
  'ا',
  '\u00a0',
];

type Part = (draw: Draw) => string;

/** A text that a regular expression of a JSON Schema allows; fails where it finds none, so that nobody believes it did. */
export function textMatching(pattern: string, draw: Draw): string {
  const expression = expressionOf(pattern);
  const part = known.get(pattern) ?? read(pattern);
  known.set(pattern, part);
  for (let tries = 0; tries < 100; tries += 1) {
    const text = part(draw);
    if (expression.test(text)) return text;
  }
  throw new Error(`no text was found for the pattern ${pattern}`);
}
const known = new Map<string, Part>();

/** A pattern as JSON Schema means it. */
export const expressionOf = (pattern: string): RegExp => new RegExp(pattern, 'u');

// Of the expressions that people write into schemas: anchors and look-arounds say nothing here, the test afterwards does.
function read(pattern: string): Part {
  let at = 0;

  function alternatives(): Part {
    const options = [sequence()];
    while (pattern[at] === '|') {
      at += 1;
      options.push(sequence());
    }
    return (draw) => draw.of(options)(draw);
  }

  function sequence(): Part {
    const parts: Part[] = [];
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') parts.push(quantified(atom()));
    return (draw) => parts.map((part) => part(draw)).join('');
  }

  function atom(): Part {
    const char = pattern[at] ?? '';
    if (char === '^' || char === '$') {
      at += 1;
      return () => '';
    }
    if (char === '(') return group();
    if (char === '[') return oneOf(upTo(/\](?<!\\\])/y));
    if (char === '\\') return oneOf(upTo(/\\([pPu]\{[^}]*\}|u[0-9a-f]{4}|x[0-9a-f]{2}|.)/iy));
    at += 1;
    return char === '.' ? oneOf('.') : () => char;
  }

  /** The source up to and with the first match; a class ends at its first bracket that is not escaped. */
  function upTo(end: RegExp): string {
    const from = at;
    for (end.lastIndex = at; !end.test(pattern); end.lastIndex = at) {
      at += pattern[at] === '\\' ? 2 : 1;
      if (at >= pattern.length) throw new Error(`${pattern} is not understood`);
    }
    at = end.lastIndex;
    return pattern.slice(from, at);
  }

  function group(): Part {
    const [opening = '('] = /^\((\?(:|<?[=!]|<\w+>))?/.exec(pattern.slice(at)) ?? [];
    at += opening.length;
    const inner = alternatives();
    at += 1;
    return /[=!]/.test(opening) ? () => '' : inner;
  }

  function quantified(part: Part): Part {
    const found = /^(\*|\+|\?|\{(\d+)(,(\d*))?\})\??/.exec(pattern.slice(at));
    if (!found) return part;
    at += found[0].length;
    const [, sign, low, comma, high] = found;
    const least = sign === '+' ? 1 : Number(low ?? 0);
    const most = sign === '?' ? 1 : low !== undefined && comma === undefined ? least : Number(high || least + 12);
    return (draw) => {
      // Mostly short; now and then as long as it may be.
      const times = draw.oneIn(20) ? most : least + draw.upTo(Math.min(most - least, 12) + 1);
      return Array.from({ length: times }, () => part(draw)).join('');
    };
  }

  return alternatives();
}

function oneOf(source: string): Part {
  const expression = expressionOf(`^(?:${source})$`);
  const chars = alphabet.filter((char) => expression.test(char));
  if (chars.length > 0) return (draw) => draw.of(chars);
  const literal = source.replace(/^\\/, '');
  return () => literal;
}
