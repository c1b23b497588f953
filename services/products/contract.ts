import { z } from 'zod';
import { eventType, standardMethods, type Contract } from '../_chassis/contract.ts';
import { money } from '../_chassis/money.ts';

const productId = z.string().min(1).max(64);
const name = z
  .string()
  .trim()
  .regex(/^[^\p{Cc}\p{Cs}]{1,120}$/u, 'must be 1 to 120 printable characters');
const category = z
  .string()
  .regex(/^[a-z]+(-[a-z]+)*$/)
  .max(40);
const price = z.strictObject({ amount: z.number().int().min(1).max(100_000_000), currency: z.literal('EUR') });

/** A product as everybody sees it; `version` grows with every change. */
export const product = z.object({ id: productId, name, category, price: money, version: z.number().int() });
export type Product = z.infer<typeof product>;

/** What staff say of a new product. */
export const newProduct = z.strictObject({ name, category, price });

/** What staff may change; at least one of them. */
export const productChange = newProduct
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'nothing to change');

const notFound = z.object({ kind: z.literal('not-found') });
const otherVersion = z.object({ kind: z.literal('other-version'), version: z.number().int() });
/** The versions that may be changed: whoever has read another one is told so, and nothing is done. */
const versions = z.array(z.number().int()).max(20).optional();
const write = { reads: false, callers: ['gateway'] } as const;
const read = { reads: true, callers: ['gateway'] } as const;

/** The catalog: names, categories and prices. */
export const productsContract = {
  service: 'products',
  methods: {
    ...standardMethods(['orders']),
    listProducts: {
      ...read,
      request: z.object({
        query: z.string().max(200).optional(),
        category: category.optional(),
        limit: z.number().int().min(1).max(100),
        cursor: z.string().max(500).optional(),
      }),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('page'), items: z.array(product), nextCursor: z.string().optional() }),
        z.object({ kind: z.literal('bad-cursor') }),
      ]),
    },
    getProduct: {
      ...read,
      request: z.object({ productId }),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('found'), product, cache: z.enum(['hit', 'miss']) }),
        notFound,
      ]),
    },
    createProduct: {
      ...write,
      request: newProduct,
      response: z.discriminatedUnion('kind', [z.object({ kind: z.literal('created'), product })]),
    },
    changeProduct: {
      ...write,
      request: z.object({ productId, change: productChange, versions }),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('changed'), product }),
        notFound,
        otherVersion,
      ]),
    },
    retireProduct: {
      ...write,
      request: z.object({ productId, versions }),
      response: z.discriminatedUnion('kind', [z.object({ kind: z.literal('retired') }), notFound, otherVersion]),
    },
  },
  events: {
    /** Also when a product is created or renamed. */
    ProductPriced: {
      type: eventType('products', 'product.priced'),
      topic: 'products.events',
      data: z.object({ productId, name, price: money, version: z.number().int() }),
    },
    ProductRetired: {
      type: eventType('products', 'product.retired'),
      topic: 'products.events',
      data: z.object({ productId, version: z.number().int() }),
    },
  },
} as const satisfies Contract;
