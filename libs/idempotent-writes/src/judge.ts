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
    return duplicateIndex | (later < 0 ? older : stays ? 0 : replaces);
  }
  if (later === 0) {
    return greater > 0 ? conflictIndex | replaces : conflictIndex;
  }
  return later > 0 ? supersededIndex | replaces : shadowedIndex | older;
}
