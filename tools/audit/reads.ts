import type { Findings } from './findings.ts';

interface Subject {
  readonly kind: 'order' | 'product';
  readonly id: string;
  readonly client: string;
}

/** `version` is undefined where the thing was taken away, or was not found. */
interface Write {
  readonly at: number;
  readonly version: number | undefined;
}
interface Read {
  readonly sentAt: number;
  readonly version: number | undefined;
}

/** I11: what a client reads, sent after a write of its own was answered, is that write or a later one. */
export function createReadCheck(findings: Findings) {
  const timelines = new Map<string, { subject: Subject; writes: Write[]; reads: Read[] }>();
  const timeline = (subject: Subject) => {
    const name = `${subject.kind} ${subject.id} ${subject.client}`;
    const found = timelines.get(name) ?? { subject, writes: [], reads: [] };
    timelines.set(name, found);
    return found;
  };
  return {
    wrote: (subject: Subject, write: Write) => void timeline(subject).writes.push(write),
    read: (subject: Subject, read: Read) => void timeline(subject).reads.push(read),
    finish(isRetired: (productId: string) => boolean) {
      for (const { subject, writes, reads } of timelines.values()) {
        if (writes.length === 0) continue;
        const mayBeAbsent = subject.kind === 'product' && isRetired(subject.id);
        for (const problem of outdated(findings, writes, reads, mayBeAbsent))
          findings.wrong('I11', `${subject.kind} ${subject.id}`, `${subject.client} ${problem}`);
      }
    },
  };
}

function* outdated(findings: Findings, writes: Write[], reads: Read[], mayBeAbsent: boolean): Generator<string> {
  writes.sort((one, other) => one.at - other.at);
  reads.sort((one, other) => one.sentAt - other.sentAt);
  let next = 0;
  let version = 0;
  let removed = false;
  for (const read of reads) {
    for (let write = writes[next]; write && write.at <= read.sentAt; write = writes[++next]) {
      if (write.version === undefined) removed = true;
      else version = Math.max(version, write.version);
    }
    if (next === 0) continue;
    findings.checked('I11');
    if (read.version === undefined) {
      if (!removed && !mayBeAbsent) yield `wrote version ${version}, and then did not find it`;
    } else if (removed) {
      yield `took it away, and then read version ${read.version}`;
    } else if (read.version < version) {
      yield `wrote version ${version}, and then read version ${read.version}`;
    }
  }
}
