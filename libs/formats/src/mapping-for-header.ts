import { afterByteOrderMark } from './byte-order-mark.ts';
import { fitsHeader } from './csv-layout.ts';
import { splitCsvLine } from './csv-line.ts';
import type { Mapping } from './mapping.ts';

const lenient = new TextDecoder('utf-8');

/**
 * Chooses the first mapping all of whose columns the header of this CSV source names. `beginning` is the source's first
 * bytes, its header at least (64 KiB are plenty). Mappings without a header fit no source by it. Undefined for none.
 */
export function mappingForHeader(beginning: Uint8Array, mappings: readonly Mapping[]): Mapping | undefined {
  const lines = lenient.decode(beginning.subarray(afterByteOrderMark(beginning, 0))).split(/\r?\n/);
  return mappings.find((mapping) => {
    const header = lines.slice(mapping.skipLines).find((line) => line.trim() !== '');
    const names = header === undefined ? undefined : splitCsvLine(header, mapping.delimiter);
    return mapping.header && Array.isArray(names) && fitsHeader(mapping, names);
  });
}
