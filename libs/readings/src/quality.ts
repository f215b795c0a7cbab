/**
 * What a value rests on. The order is the order of the codes on the wire and in the stores, and the last word of the
 * comparator: of two readings of one version and one value, the one with the higher code wins.
 */
export const qualities = ['measured', 'estimated', 'substituted', 'calculated', 'missing'] as const;
export type Quality = (typeof qualities)[number];

export const missingCode = 4;

export function qualityCode(quality: Quality): number {
  return qualities.indexOf(quality);
}

/** Throws RangeError for a code that no quality has: a broken invariant, since codes are checked where they come in. */
export function qualityOf(code: number): Quality {
  const quality = qualities[code];
  if (quality === undefined) {
    throw new RangeError(`no quality has the code ${code}`);
  }
  return quality;
}
