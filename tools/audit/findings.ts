/** What must hold, in a few words each; design.md says them in full. */
export const invariants = {
  I1: 'every acknowledged order exists, as it was told',
  I2: 'every order is in exactly one terminal state',
  I3: 'captured less refunded is the total of shipped orders, as the bank says',
  I4: 'received and adjusted stock is available, reserved or shipped; none negative',
  I5: 'one shipment for a shipped order, none for any other',
  I6: 'a cancelled order gave back money and stock exactly once',
  I7: 'the same key gives the same order and the same bytes',
  I8: 'every event has its row, at its producer and at every subscriber',
  I9: 'transitions follow the graph; replay gives the read model',
  I10: 'no reservation outlives its order',
  I11: 'a read after an acknowledged write by the same client sees it',
  I12: "no row of another tenant is kept or answered with this one's",
  I13: 'no dispatch after a withdrawal was handled',
  I14: "a consumer that counts events counts each order's version",
  I15: 'every copy equals its source',
} as const;
export type Invariant = keyof typeof invariants;

/** One thing that is wrong: the id of what offends, and what is wrong with it. */
export interface Violation {
  readonly subject: string;
  readonly problem: string;
}

/** What became of one invariant. `violations` holds the first of them; `count` is how many there are. */
export interface Finding {
  readonly invariant: Invariant;
  readonly says: string;
  readonly rows: number;
  readonly count: number;
  readonly violations: readonly Violation[];
  /** Why nothing was looked at, where that is so. */
  readonly skipped?: string;
}

/** Where checks put what they see. */
export interface Findings {
  /** Counts rows that an invariant was held against. */
  checked(invariant: Invariant, rows?: number): void;
  wrong(invariant: Invariant, subject: string, problem: string): void;
  /** Says why an invariant could not be looked at. */
  skipped(invariant: Invariant, reason: string): void;
  all(): Finding[];
}

// A mesh that lost everything is not described better by a million lines, and they must fit in memory.
const kept = 1_000;

/** An empty sheet of findings. */
export function createFindings(): Findings {
  const rows = new Map<Invariant, number>();
  const counts = new Map<Invariant, number>();
  const violations = new Map<Invariant, Violation[]>();
  const reasons = new Map<Invariant, string>();
  return {
    checked: (invariant, more = 1) => void rows.set(invariant, (rows.get(invariant) ?? 0) + more),
    wrong(invariant, subject, problem) {
      const known = violations.get(invariant) ?? [];
      violations.set(invariant, known);
      counts.set(invariant, (counts.get(invariant) ?? 0) + 1);
      if (known.length < kept) known.push({ subject, problem });
    },
    skipped: (invariant, reason) => void reasons.set(invariant, reason),
    all: () =>
      names.map((invariant) => {
        const reason = reasons.get(invariant);
        return {
          invariant,
          says: invariants[invariant],
          rows: rows.get(invariant) ?? 0,
          count: counts.get(invariant) ?? 0,
          violations: violations.get(invariant) ?? [],
          ...(reason !== undefined && !rows.has(invariant) && { skipped: reason }),
        };
      }),
  };
}

const isInvariant = (name: string): name is Invariant => name in invariants;
const names: readonly Invariant[] = Object.keys(invariants).filter(isInvariant);
