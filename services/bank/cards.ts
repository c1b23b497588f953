/** How the card behind a token behaves; what it does not name, it does at once and answers. */
export interface Card {
  /** Why it bears no charge, where it bears none. */
  readonly declines?: string;
  /** How many requests for a key fail before one is taken. */
  readonly failures?: number;
  /** Whether a charge takes effect only after a while. */
  readonly slow?: boolean;
  /** Whether the answer to a charge never comes. */
  readonly lost?: boolean;
}

const cards = new Map<string, Card>([
  ['tok_ok', {}],
  ['tok_declined', { declines: 'insufficient funds' }],
  ['tok_slow', { slow: true }],
  ['tok_flaky', { failures: 2 }],
  ['tok_lost', { lost: true }],
]);

/** The card behind a token; one that the bank does not know is declined. */
export const cardOf = (token: string): Card => cards.get(token) ?? { declines: 'unknown token' };
