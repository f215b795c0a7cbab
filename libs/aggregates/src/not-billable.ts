import { qualityCode, type ReadingColumns, type Runs } from '@meterflow/readings';

const estimated = qualityCode('estimated');

/** Some readings of one quality: [from, to) of the columns. */
export interface ReadingsOfQuality {
  readonly from: number;
  readonly to: number;
  readonly quality: number;
}

/**
 * How many of the readings must not be billed: those that are estimated and don't tell by which method, and those whose
 * source's own quality code is among `codes`, whatever their quality.
 */
export function countNotBillable(
  { method, code, texts }: ReadingColumns,
  readings: ReadingsOfQuality,
  codes: ReadonlySet<string>,
): number {
  const withoutMethod = readings.quality === estimated ? (text: number) => texts[text] === '' : undefined;
  if (codes.size === 0) {
    return withoutMethod === undefined ? 0 : countRuns(method, readings, withoutMethod);
  }
  let count = 0;
  for (let index = readings.from; index < readings.to; index++) {
    const one = { from: index, to: index + 1 };
    const refused = countRuns(code, one, (text) => codes.has(texts[text] as string)) > 0;
    count += refused || (withoutMethod !== undefined && countRuns(method, one, withoutMethod) > 0) ? 1 : 0;
  }
  return count;
}

function countRuns(
  runs: Runs,
  { from, to }: { readonly from: number; readonly to: number },
  counts: (value: number) => boolean,
): number {
  let count = 0;
  let start = 0;
  for (let run = 0; run < runs.ends.length && start < to; run++) {
    const end = runs.ends[run] as number;
    const shared = Math.min(end, to) - Math.max(start, from);
    count += shared > 0 && counts(runs.values[run] as number) ? shared : 0;
    start = end;
  }
  return count;
}
