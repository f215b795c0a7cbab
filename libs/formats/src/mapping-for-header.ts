import { afterByteOrderMark } from './byte-order-mark.ts';
import { fitsHeader } from './csv-layout.ts';
import { splitCsvLine } from './csv-line.ts';
import { columnsMax } from './limits.ts';
import type { Mapping } from './mapping.ts';

const lenient = new TextDecoder('utf-8');

/**
 * Chooses the first mapping all of whose columns the header of this CSV source names. `beginning` is the source's first
 * bytes, its header at least (64 KiB are plenty). Mappings without a header fit no source by it. Undefined for none.
 */
export function mappingForHeader(beginning: Uint8Array, mappings: readonly Mapping[]): Mapping | undefined {
  const lines = lenient.decode(beginning.subarray(afterByteOrderMark(beginning, 0))).split(/\r?\n/);
  const split = new Map<string, readonly string[]>();
  return mappings.find((mapping) => {
    const { skipLines, delimiter } = mapping;
    const place = `${skipLines} ${delimiter}`;
    const names = split.get(place) ?? namesIn(lines.slice(skipLines), delimiter);
    split.set(place, names);
    // Longer headers are nobody's: to look through them for every mapping of a tenant would keep others waiting.
    return mapping.header && names.length > 0 && names.length <= columnsMax && fitsHeader(mapping, names);
  });
}

/** Empty where there is no header, or it can't be read. */
function namesIn(lines: readonly string[], delimiter: string): readonly string[] {
  const names = splitCsvLine(lines.find((line) => line.trim() !== '') ?? '', delimiter);
  return Array.isArray(names) ? names : [];
}
