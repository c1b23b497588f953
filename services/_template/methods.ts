import type { Methods } from '../_chassis/call.ts';
import type { Database } from '../_chassis/database.ts';
import { once } from '../_chassis/idempotency.ts';
import { refusedWithout } from '../_chassis/permission.ts';
import { permissions } from '../auth/contract.ts';
import { fieldNotesContract } from './contract.ts';
import { decideFieldNote } from './field-note.ts';
import { findFieldNote, lockFieldNote, moveFieldNote } from './store.ts';

const { FieldNoteAdded } = fieldNotesContract.events;

/** Everybody may read; people with the role `staff` add, once for each order of their tenant that has been shipped. */
export function methods(database: Database): Methods<typeof fieldNotesContract> {
  return {
    async getFieldNote({ orderId }, { tenant }) {
      const found = await findFieldNote(database.of(tenant), tenant, orderId);
      if (!found) return { kind: 'not-shipped' };
      return found.text === null ? { kind: 'awaited' } : { kind: 'found', orderId, text: found.text };
    },

    async addFieldNote(request, call) {
      const refused = refusedWithout(permissions['catalog.change'], call);
      if (refused) return refused;
      const { tenant } = call;
      const { orderId, text } = request;
      return once(database, call, 'addFieldNote', request, async (tx) => {
        const decision = decideFieldNote(await lockFieldNote(tx, tenant, orderId), 'add');
        if (decision.kind === 'refused') return { kind: decision.reason };
        await moveFieldNote(tx, tenant, orderId, { state: decision.state, text });
        tx.emit(FieldNoteAdded, { subject: orderId, tenant, data: { orderId, text } });
        return { kind: 'added' as const };
      });
    },
  };
}
