import { listed, type Table } from '../_chassis/impossible.ts';

/** What the ledger says of one key. */
export type ChargeState = 'none' | 'captured' | 'declined' | 'voided' | 'refunded';

/** What can be asked of a key; a charge comes with whether the card bears it. */
export type ChargeInput = 'charge (covered)' | 'charge (not covered)' | 'get' | 'reverse';

/** The ledger's only moves; everything else leaves a charge as it stands. */
export type ChargeTable = Table<ChargeState, ChargeInput, { readonly becomes?: ChargeState } | 'unchanged'>;

const settled = {
  'charge (covered)': 'unchanged',
  'charge (not covered)': 'unchanged',
  get: 'unchanged',
  reverse: 'unchanged',
} as const;

/** Every request is expected in every state: it may be repeated, or come as late as it likes. */
export const chargeTable: ChargeTable = {
  none: {
    'charge (covered)': { becomes: 'captured' },
    'charge (not covered)': { becomes: 'declined' },
    get: 'unchanged',
    // The key is burnt: a charge that is still on its way will be refused.
    reverse: { becomes: 'voided' },
  },
  captured: { ...settled, reverse: { becomes: 'refunded' } },
  declined: settled,
  voided: settled,
  refunded: settled,
};

/**
 * Gives the charge as it stands after a request, which is also what the bank answers. So a charge is made once and its
 * repetition answers the same; one that comes after a reversal answers `voided` or `refunded`, never `captured`.
 */
export function decideCharge(state: ChargeState, input: ChargeInput, table = chargeTable): ChargeState {
  const row = listed('bank', table, state, input);
  return row === 'unchanged' ? state : (row.becomes ?? state);
}
