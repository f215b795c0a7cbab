import { isUnit, qualities, qualityCode } from '@meterflow/readings';
import type { Mapping } from './mapping.ts';

export interface QualityMeaning {
  readonly quality: number;
  /** The source's own code; empty where it uses our names. */
  readonly code: string;
}

/** The unit that a text names under this mapping; undefined for none that is known. */
export function unitMeant(mapping: Mapping, text: string): string | undefined {
  const { unit } = mapping;
  const name = 'constant' in unit ? unit.constant : (own(unit.names, text) ?? text);
  return isUnit(name) ? name : undefined;
}

/** What a quality code means under this mapping; undefined for an unknown one. */
export function qualityMeant(mapping: Mapping, text: string): QualityMeaning | undefined {
  const { quality } = mapping;
  if (quality === undefined) {
    return { quality: qualityCode('measured'), code: '' };
  }
  if (text === '' && (quality.codes === undefined || own(quality.codes, text) === undefined)) {
    return { quality: qualityCode(quality.default), code: '' };
  }
  const meaning = quality.codes === undefined ? qualities.find((name) => name === text) : own(quality.codes, text);
  return meaning === undefined
    ? undefined
    : { quality: qualityCode(meaning), code: quality.codes === undefined ? '' : text };
}

function own<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
