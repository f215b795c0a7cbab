/**
 * What became of one reading (or aggregate): new; newer than what was there; older than what is there; the same value
 * again (a later version then raises the stored one); another value at the very same version.
 */
export const outcomes = ['inserted', 'superseded', 'shadowed', 'duplicate', 'conflict'] as const;
export type Outcome = (typeof outcomes)[number];
export type OutcomeCounts = Readonly<Record<Outcome, number>>;
export const noOutcomes: OutcomeCounts = { inserted: 0, superseded: 0, shadowed: 0, duplicate: 0, conflict: 0 };

export function addOutcomes(a: OutcomeCounts, b: OutcomeCounts): OutcomeCounts {
  return {
    inserted: a.inserted + b.inserted,
    superseded: a.superseded + b.superseded,
    shadowed: a.shadowed + b.shadowed,
    duplicate: a.duplicate + b.duplicate,
    conflict: a.conflict + b.conflict,
  };
}
