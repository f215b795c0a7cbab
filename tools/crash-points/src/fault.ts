/**
 * What befalls a process at a side effect:
 * `before`, `within`, `after`: it ends before the effect, in it (the world has it, the answer is lost), or after it.
 * `drain`: it is told to stop, and stops in good order. `stall`: it stands still, past all its leases, then goes on.
 * `refused`: the effect fails, and nothing happened. `unanswered`: it fails, but did happen.
 */
export const faultKinds = ['before', 'within', 'after', 'drain', 'stall', 'refused', 'unanswered'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly stage: string;
  /** Which side effect of the stage, from 1, counted over all its processes. */
  readonly effect: number;
  readonly kind: FaultKind;
}

/** One run of a workload: which interleaving, and what goes wrong. */
export interface Schedule {
  readonly seed: number;
  readonly faults: readonly Fault[];
}

/** `7`, or `7:persistence-raw.12.within+rule-execution.3.before`. */
export function formatSchedule({ seed, faults }: Schedule): string {
  const texts = faults.map(({ stage, effect, kind }) => `${stage}.${effect}.${kind}`);
  return texts.length === 0 ? String(seed) : `${seed}:${texts.join('+')}`;
}

/** Reads what {@link formatSchedule} wrote. Throws RangeError. */
export function parseSchedule(text: string): Schedule {
  const [seed = '', faults] = text.split(':');
  if (!/^\d+$/.test(seed)) {
    throw new RangeError(`"${text}" is not a schedule such as 7:persistence-raw.12.within`);
  }
  return { seed: Number(seed), faults: (faults?.split('+') ?? []).map(parseFault) };
}

function parseFault(text: string): Fault {
  const [, stage, effect, kind] = /^([a-z-]+)\.(\d+)\.([a-z]+)$/.exec(text) ?? [];
  const known = faultKinds.find((candidate) => candidate === kind);
  if (stage === undefined || known === undefined) {
    throw new RangeError(`"${text}" is not a fault such as persistence-raw.12.within`);
  }
  return { stage, effect: Number(effect), kind: known };
}
