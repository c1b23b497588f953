import { z } from 'zod';
import { eventType, standardMethods, type Contract } from '../_chassis/contract.ts';

const orderId = z.string().regex(/^[\w.-]{1,64}$/);
const text = z
  .string()
  .trim()
  .regex(/^[^\p{Cc}\p{Cs}]{1,1000}$/u, 'must be 1 to 1,000 printable characters');

/** What staff say when they add one. */
export const newFieldNote = z.strictObject({ orderId, text });

/** Field notes of shipped orders. */
export const fieldNotesContract = {
  service: 'field-notes',
  methods: {
    ...standardMethods([]),
    getFieldNote: {
      reads: true,
      callers: ['gateway'],
      request: z.object({ orderId }),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('found'), orderId, text }),
        z.object({ kind: z.literal('awaited') }),
        z.object({ kind: z.literal('not-shipped') }),
      ]),
    },
    addFieldNote: {
      reads: false,
      callers: ['gateway'],
      request: newFieldNote,
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('added') }),
        z.object({ kind: z.literal('already-added') }),
        z.object({ kind: z.literal('not-shipped') }),
      ]),
    },
  },
  events: {
    FieldNoteAdded: {
      type: eventType('field-notes', 'field-note.added'),
      topic: 'field-notes.events',
      data: z.object({ orderId, text }),
    },
  },
  consumes: { orders: ['orders.events'] },
} as const satisfies Contract;
