import type { BlockList } from 'node:net';
import type { Request, Response } from 'express';
import type { Principal } from '../_chassis/identity.ts';
import { Counter, type Metrics } from '../_chassis/metrics.ts';
import { fieldsOf } from './answer.ts';
import { callerOf } from './limit-caller.ts';
import type { Lots } from './limit-lots.ts';
import type { Quota } from './limit-share.ts';
import { createBudget, type Decision } from './limits.ts';
import { problems } from './problems.ts';
import type { LimitClass } from './route.ts';

/** Takes a request from its caller's budget; throws the problem when there is nothing left in it. */
export type Limit = (
  request: Request,
  response: Response,
  of: LimitClass,
  principal: Principal | undefined | 'invalid',
) => Promise<void>;

export type Quotas = Readonly<Record<LimitClass, Quota>>;

/**
 * Limits by class of route. Every answer says what is left, in the header fields of draft-ietf-httpapi-ratelimit-headers-11
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/); in whole seconds, as the draft has it.
 */
export function createLimit(deps: { quotas: Quotas; lots: Lots; proxies: BlockList; metrics: Metrics }): Limit {
  const { lots, proxies } = deps;
  const decisions = new Counter({
    name: 'sidecart_ratelimit_decisions_total',
    help: 'Requests by class of limit and result: allowed, refused, the same alone when they could not be counted together, closed',
    labelNames: ['class', 'result'],
    registers: [deps.metrics.registry],
  });
  const budgets = new Map(
    Object.values(deps.quotas).map((quota) => {
      // Finding a counter by its labels costs more than counting.
      const counters = new Map<string, ReturnType<typeof decisions.labels>>();
      const count = (result: string) => {
        const counter = counters.get(result) ?? decisions.labels(quota.name, result);
        counters.set(result, counter);
        counter.inc();
      };
      return [quota.name, { ...budgetOf(quota, lots), count }];
    }),
  );

  return async (request, response, of, principal) => {
    const found = budgets.get(of);
    if (!found) throw new Error(`there is no limit for ${of}`);
    const taken = found.budget.take(callerOf(request, principal, proxies));
    const decision = taken instanceof Promise ? await taken : taken;
    found.count(resultOf(decision));
    if (decision.kind === 'closed') throw problems.notCounted();
    const seconds = Math.max(1, Math.ceil(decision.afterMs / 1_000));
    const fields = fieldsOf(response);
    fields['ratelimit-policy'] = found.policy;
    fields['ratelimit'] = `"${of}";r=${decision.remaining};t=${seconds}`;
    if (decision.kind === 'refused') throw problems.rateLimited(found.words, seconds);
  };
}

function budgetOf(quota: Quota, lots: Lots) {
  const { name, burst, windowMs } = quota;
  const seconds = Math.ceil(windowMs / 1_000);
  return {
    budget: createBudget(quota, { lots }),
    policy: `"${name}";q=${burst};w=${seconds}`,
    words: `There may be ${burst} of this kind in ${seconds} s.`,
  };
}

const resultOf = ({ kind, alone }: Decision) => (alone && kind !== 'closed' ? `${kind}-alone` : kind);
