import { standardMethods, type Contract } from '../../_chassis/contract.ts';

/** Tally: counts what happens to each order, and says nothing itself. */
export const tallyContract = {
  service: 'tally',
  methods: standardMethods([]),
  events: {},
  consumes: { orders: ['orders.events'] },
} as const satisfies Contract;
