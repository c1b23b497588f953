import { setTimeout as delay } from 'node:timers/promises';

const mostTries = 5;

/** Asks, and asks again where an answer of one of these statuses says when to come again; gives the last answer. */
export async function comeAgain(statuses: readonly number[], ask: () => Promise<Response>): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    const response = await ask();
    const pauseSeconds = Number(response.headers.get('retry-after'));
    if (!statuses.includes(response.status) || !(pauseSeconds > 0) || tries === mostTries) return response;
    await response.body?.cancel();
    await delay(Math.min(pauseSeconds, 5) * 1_000);
  }
}
