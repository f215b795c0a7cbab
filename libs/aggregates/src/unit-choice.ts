import { isUnit, unitExponent, unitNames } from '@meterflow/readings';

/** How many values of a window came in a unit. */
export interface UnitCount {
  readonly unit: string;
  readonly count: number;
}

/**
 * The unit a window is summed in: what most of its values measure (ties: the first in the order of `unitNames`), in the
 * finest unit of it that occurs there, so that every conversion is a multiplication and exact. Values that measure
 * something else can't be added and are left out.
 */
export function unitChoice(counts: readonly UnitCount[]): string {
  const units = [...new Set(counts.map(({ unit }) => unit))];
  if (units.length <= 1) {
    return units[0] ?? '';
  }
  units.sort((a, b) => unitRank(a) - unitRank(b) || (a < b ? -1 : 1));
  let chosen = '';
  let most = -1;
  for (const unit of units) {
    const alike = counts.filter((other) => multiplier(other.unit, unit) !== undefined);
    const count = alike.reduce((sum, other) => sum + other.count, 0);
    if (count > most) {
      most = count;
      chosen = unit;
    }
  }
  return units.reduce((finest, unit) => ((multiplier(finest, unit) ?? -1) > 0 ? unit : finest), chosen);
}

/** The power of ten that takes a value in `from` to one in `to`; undefined when they can't be added. */
export function multiplier(from: string, to: string): number | undefined {
  if (from === to) {
    return 0;
  }
  return isUnit(from) && isUnit(to) ? unitExponent(from, to) : undefined;
}

/** Units that we do not know come last; each converts only to itself. */
function unitRank(unit: string): number {
  return isUnit(unit) ? unitNames.indexOf(unit) : unitNames.length;
}
