import { endingOf, type ComposeFile } from './compose-file.ts';
import { containerComplaints } from './container-rules.ts';
import { meshComplaints } from './mesh-rules.ts';
import type { Pod } from './pod.ts';

/** What the file has to agree with. */
export interface Project {
  /** The apps of the run file. */
  readonly pods: readonly Pod[];
  /** How long what runs in an image may take to stop, by the image's name. */
  readonly drainSeconds: Readonly<Record<string, number>>;
}

/** Everything that is wrong with a compose file, in sentences; none where all is well. */
export function complaints(file: ComposeFile, { pods, drainSeconds }: Project): string[] {
  const ending = endingOf(file);
  return [
    ...Object.entries(file.services).flatMap(([name, service]) =>
      containerComplaints(name, service, { ends: ending.has(name), drainSeconds }),
    ),
    ...meshComplaints(file, pods),
  ];
}

/** The variables that a compose file takes from its environment. */
export function variablesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/(?<!\$)\$\{([A-Z][A-Z0-9_]*)/g)].map(([, name = '']) => name))].sort();
}
