import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../mesh/home.ts';
import { readRunFile } from '../mesh/run-file.ts';
import { parseComposeFile } from './compose-file.ts';
import { withPod } from './new-pod.ts';
import { complaints } from './rules.ts';

const text = await readFile(join(repository, 'compose.yaml'), 'utf8');
const apps = await readRunFile(join(repository, 'dapr-config', 'dapr.yaml'));
const [last] = apps.slice(-1);
if (!last) throw new Error('the run file is empty');

describe('withPod', () => {
  it('when a service is added, it is a whole pod to the mesh, and every other byte is as it was', () => {
    const added = withPod(text, 'gift-cards', last.id);
    const pod = {
      id: 'gift-cards',
      protocol: 'http' as const,
      command: ['node', 'services/gift-cards/main.ts'],
      configFile: '/x/dapr-config/access/gift-cards.yaml',
    };
    const project = { pods: [...apps, pod], drainSeconds: {} };
    expect(complaints(parseComposeFile(added), project)).toEqual([]);

    const before = text.split('\n');
    const lines = added.split('\n');
    const left: string[] = [];
    for (const line of lines) if (line === before[left.length]) left.push(line);
    expect(left.join('\n')).toBe(text);
    expect(lines.length - left.length).toBe(18);
  });

  it('when there is no pod to put it behind, it is said', () => {
    expect(() => withPod(text, 'gift-cards', 'nothing')).toThrow('has no pod of nothing');
  });
});
