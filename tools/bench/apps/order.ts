import type { Order } from '../../../services/orders/contract.ts';

/** The order that P2's stand-in for the order service has placed, whoever asks. */
export const placedOrder: Order = {
  id: '019a0000-0000-7000-8000-000000000001',
  status: 'placed',
  customerId: '1',
  items: [{ productId: '1', name: 'A thing', quantity: 2, unitPrice: { amount: 1_999, currency: 'EUR' } }],
  total: { amount: 3_998, currency: 'EUR' },
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  history: [{ status: 'placed', at: '2026-01-01T00:00:00.000Z' }],
};

/** What P2's clients send. */
export const orderRequest = { items: [{ productId: '1', quantity: 2 }], paymentToken: 'tok_ok' };
