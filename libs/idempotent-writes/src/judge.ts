import { compareDecimals } from '@meterflow/readings';
import type { Attributes } from './attributes.ts';
import { conflictIndex, duplicateIndex, shadowedIndex, supersededIndex } from './outcome-tally.ts';

/** What one reading says. Absent readings have value 0. Callers keep two and fill them anew. */
export interface Statement {
  value: number;
  decimals: number;
  label: number;
  version: number;
}

/** Set in what {@link judge} returns where the incoming reading takes the place of the standing one. */
export const replaces = 8;
/** Set where the incoming reading is of an earlier version than the standing one, whose place it does not take. */
export const older = 16;
/** Set where both are of one version. */
const alike = 32;
/** The outcome's index within what {@link judge} returns. */
export const outcomeMask = 7;

/**
 * Holds an incoming reading against the one of its identity that stands, by version, value and quality, as
 * `compareReadings` does; texts break a tie, so that the reading that stays never depends on which came first.
 */
export function judge(attributes: Attributes, standing: Statement, incoming: Statement): number {
  const { labels, versions } = attributes;
  const later = versions.compare(incoming.version, standing.version);
  const greater =
    compareDecimals(incoming.value, incoming.decimals, standing.value, standing.decimals) ||
    labels.quality(incoming.label) - labels.quality(standing.label);
  if (greater === 0) {
    const stays = later < 0 || (later === 0 && labels.compareTexts(incoming.label, standing.label) <= 0);
    return duplicateIndex | (later < 0 ? older : stays ? 0 : replaces) | (later === 0 ? alike : 0);
  }
  if (later === 0) {
    return (greater > 0 ? conflictIndex | replaces : conflictIndex) | alike;
  }
  return later > 0 ? supersededIndex | replaces : shadowedIndex | older;
}

/**
 * True where one of the two goes into the history: also what only says the same again, comes late, or loses a conflict. What
 * was known at an instant is found by the versions, and who brought what by all that came.
 */
export function isKept(verdict: number): boolean {
  return (verdict & (replaces | older)) !== 0 || (verdict & outcomeMask) === conflictIndex;
}

/**
 * Who has to do with what goes into the history, by a batch's number in its group: who brought it, where it never stood;
 * who took its place under its own version, as {@link displacedBy} of the number; else -1, a later version did.
 */
export function whoseIsKept(verdict: number, batch: number): number {
  if ((verdict & replaces) === 0) {
    return batch;
  }
  return (verdict & alike) === 0 ? -1 : displacedBy(batch);
}

/** Its own inverse. */
export function displacedBy(batch: number): number {
  return -2 - batch;
}
