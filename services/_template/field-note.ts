/** Where the field note of one order stands; `none` until the order has been shipped. */
export type FieldNoteState = 'none' | 'awaited' | 'added';

type Moved = { readonly kind: 'moved'; readonly state: FieldNoteState };
type Unchanged = { readonly kind: 'unchanged' };
type Refused = { readonly kind: 'refused'; readonly reason: 'not-shipped' | 'already-added' };

/** What to do about each input that can come. */
interface FieldNoteRow {
  readonly 'order.shipped': Moved | Unchanged;
  readonly add: Moved | Refused;
}
export type FieldNoteInput = keyof FieldNoteRow;
export type FieldNoteDecision = FieldNoteRow[FieldNoteInput];

const table: Readonly<Record<FieldNoteState, FieldNoteRow>> = {
  none: {
    'order.shipped': { kind: 'moved', state: 'awaited' },
    add: { kind: 'refused', reason: 'not-shipped' },
  },
  awaited: {
    'order.shipped': { kind: 'unchanged' },
    add: { kind: 'moved', state: 'added' },
  },
  added: {
    'order.shipped': { kind: 'unchanged' },
    add: { kind: 'refused', reason: 'already-added' },
  },
};

/** Decides what an input does to a field note in this state; every pair has its row. */
export const decideFieldNote = <Input extends FieldNoteInput>(
  state: FieldNoteState,
  input: Input,
): FieldNoteRow[Input] => table[state][input];
