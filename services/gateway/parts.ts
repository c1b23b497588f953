import { z } from 'zod';

// What rows of several groups share.

export const limit = z
  .string()
  .regex(/^([1-9]\d?|100)$/, 'must be a whole number from 1 to 100')
  .transform(Number)
  .pipe(z.number().int().min(1).max(100))
  .default(20);

/** For a transition: no body, or an empty object, which some clients can't help sending. */
export const nothing = z.strictObject({}).optional();

export const page = <Item extends z.ZodType>(item: Item) => ({
  200: { body: z.object({ items: z.array(item), nextCursor: z.string().nullable() }) },
});

/** One page of a list; `nextCursor` is null on the last. */
export const renderPage = <Item>(items: readonly Item[], nextCursor: string | undefined) => ({
  items,
  nextCursor: nextCursor ?? null,
});

export const open = { permission: 'anybody', limit: 'read' } as const;
export const write = { key: 'optional', limit: 'write' } as const;
