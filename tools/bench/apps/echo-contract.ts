import { z } from 'zod';
import type { Contract } from '../../../services/_chassis/contract.ts';

/** What the benches call: a service that answers what it was asked. The name is one that the mesh's policies are for. */
export const echoContract = {
  service: 'inventory',
  methods: {
    echo: {
      reads: true,
      callers: [],
      request: z.object({ text: z.string() }),
      response: z.object({ kind: z.literal('echo'), text: z.string() }),
    },
  },
  events: {},
} as const satisfies Contract;
