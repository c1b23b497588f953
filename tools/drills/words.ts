/** A figure's name as people read it: `secondsToDrain` is `seconds to drain`. */
export const words = (name: string): string =>
  name.replace(/[A-Z]|\d+/g, (part) => ` ${part.toLowerCase()}`).trimStart();
