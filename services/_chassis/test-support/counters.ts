import type { Sidecar } from '../sidecar.ts';

/**
 * Counters in memory, behind the binding of a sidecar that several can share; `asked` is what was done with them, `travel`
 * the way there and back.
 */
export function memoryCounters(travel: () => Promise<void> = async () => undefined) {
  const counts = new Map<string, number>();
  const asked: { operation: string; key: string }[] = [];
  const answer = (operation: string, key: string) => {
    asked.push({ operation, key });
    if (operation === 'get') return String(counts.get(key) ?? '');
    if (operation !== 'increment') throw new Error(`counters can't ${operation}`);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return '';
  };
  const invokeBinding: Sidecar['invokeBinding'] = async (_binding, operation, { metadata }) => {
    await travel();
    const said = answer(operation, metadata['key'] ?? '');
    await travel();
    return said;
  };
  return { asked, invokeBinding };
}
