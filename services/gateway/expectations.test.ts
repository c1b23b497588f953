import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { disappointedBy } from '../_e2e/expectations.ts';
import { refusal, type Contract } from '../_chassis/contract.ts';
import { authContract } from '../auth/contract.ts';
import { fulfillmentContract } from '../fulfillment/contract.ts';
import { inventoryContract } from '../inventory/contract.ts';
import { ordersContract } from '../orders/contract.ts';
import { paymentsContract } from '../payments/contract.ts';
import { productsContract } from '../products/contract.ts';
import { usersContract } from '../users/contract.ts';
import { answers } from './expectations.ts';

const order = {
  ...{ id: '1', status: 'placed', customerId: '1', items: [], total: { amount: 1, currency: 'EUR' }, version: 1 },
  ...{ createdAt: 't', history: [] },
};

const shape = z.object({ properties: z.object({ kind: z.object({ const: z.string() }) }) });
const kindsOf = (schema: z.ZodType): string[] => {
  const { oneOf, ...single } = z.looseObject({ oneOf: z.array(shape).optional() }).parse(z.toJSONSchema(schema));
  return (oneOf ?? [shape.parse(single)]).map((option) => option.properties.kind.const);
};

describe('expectations', () => {
  it('when a contract knows a kind of answer, so does the gateway', () => {
    const contracts: Contract[] = [
      productsContract,
      inventoryContract,
      ordersContract,
      paymentsContract,
      fulfillmentContract,
      authContract,
      usersContract,
    ];
    const methods = contracts.flatMap(({ service, methods: own }) =>
      Object.entries(own).map(([name, method]) => [`${service}.${name}`, method.response] as const),
    );
    const offered = new Map<string, z.ZodType>(methods);
    for (const [name, known] of Object.entries(answers)) {
      const response = offered.get(name);
      if (!response) throw new Error(`no contract has ${name}`);
      expect([name, kindsOf(known)]).toEqual([name, expect.arrayContaining(kindsOf(response))]);
    }
  });

  it('when any service refuses a write, it is understood', () => {
    for (const { shape } of refusal.options) {
      const value = { kind: shape.kind.value, retryAfterMs: 1 };
      expect(answers['orders.placeOrder'].safeParse(value).success).toBe(true);
    }
  });

  it('when a producer renames a field, the gateway is disappointed', async () => {
    const { total, ...rest } = order;
    const made = [
      { name: 'orders.placeOrder', value: { kind: 'placed', order } },
      { name: 'orders.getOrder', value: { kind: 'found', order: { ...rest, sum: total } } },
    ];
    const { disappointments } = await disappointedBy(made);
    expect(disappointments).toMatchObject([{ consumer: 'gateway', what: 'orders.getOrder' }]);
  });
});
