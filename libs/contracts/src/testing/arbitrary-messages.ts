import {
  completeReasons,
  oddCounts,
  oddRows,
  rareCounts,
  unknownPeak,
  wholeWindow,
  type AggregateBatch,
  type AggregateRows,
  type AggregatesStored,
  type OddColumns,
  type RareCount,
  type WindowsComplete,
} from '@meterflow/aggregates';
import {
  decimalsMax,
  integerMax,
  isIdentifier,
  layers,
  missingCode,
  RunsBuilder,
  SpansBuilder,
  versionsOf,
  type Cause,
  type ReadingBatch,
  type ReadingColumns,
  type Runs,
  type SeriesName,
  type StoredNotice,
  type Touched,
} from '@meterflow/readings';
import * as fc from 'fast-check';

const instantMs = fc.integer({ min: -1e13, max: 4e13 });
const counter = fc.oneof(fc.constant(0), fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const key = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const tenant = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);

const identifier = fc.oneof(
  fc.stringMatching(/^[!-~]([ -~]{0,62}[!-~])?$/),
  fc
    .string({ unit: fc.constantFrom('z', 'ä', 'ß', '漢', '☃', '字', ' '), minLength: 1, maxLength: 64 })
    .filter(isIdentifier),
);
const series: fc.Arbitrary<SeriesName> = fc.record({
  meter: identifier,
  channel: fc.oneof(fc.constantFrom('import', 'export'), identifier),
});
const someSeries = fc.array(series, { minLength: 1, maxLength: 12 });

const text = fc.string({
  unit: fc.oneof(fc.string({ minLength: 1, maxLength: 1 }), fc.constant('é'), fc.constant('🔌')),
});
const texts = fc.array(text, { maxLength: 6 }).map((others) => ['', ...others]);

const sourceId = fc.stringMatching(/^[a-z0-9.-]{1,40}$/);
const cause: fc.Arbitrary<Cause> = fc
  .record({ sourceId, key, parts: fc.integer({ min: 1, max: 9 }), part: fc.nat() })
  .map((drawn) => ({ ...drawn, part: drawn.part % drawn.parts }));
const causes = fc.array(cause, { maxLength: 5 });

/** A run column of `count` readings, of indexes below `end`. */
function runs(count: number, end: number): fc.Arbitrary<Runs> {
  const pieces = fc.array(fc.tuple(fc.nat(end - 1), fc.integer({ min: 1, max: 40 })), { maxLength: 20 });
  return fc.tuple(pieces, fc.nat(end - 1)).map(([drawn, last]) => {
    const builder = new RunsBuilder();
    for (const [value, length] of drawn) {
      builder.push(value, Math.min(length, count - builder.count));
    }
    builder.push(last, count - builder.count);
    return builder.finish();
  });
}

const span = fc
  .record({
    startMs: instantMs,
    lengthMs: fc.nat(90_000_000),
    gapMs: fc.nat(90_000_000),
    count: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ startMs, lengthMs, gapMs, count }) => ({ startMs, lengthMs, stepMs: Math.max(1, lengthMs + gapMs), count }));

const version = fc.record({
  declared: counter,
  acceptedAtMs: fc.nat(4e13),
  activation: counter,
  ticket: counter,
  computed: fc.boolean(),
});

function values(count: number): fc.Arbitrary<Float64Array> {
  const narrow = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const wide = fc.integer({ min: -integerMax, max: integerMax });
  const column = (value: fc.Arbitrary<number>): fc.Arbitrary<number[]> =>
    fc.array(value, { minLength: count, maxLength: count });
  return fc.oneof(column(narrow), column(fc.oneof(narrow, wide))).map((drawn) => Float64Array.from(drawn));
}

function columns(seriesCount: number): fc.Arbitrary<ReadingColumns> {
  const row = fc.tuple(fc.nat(seriesCount - 1), span);
  const shape = fc.record({
    rows: fc.array(row, { maxLength: 12 }),
    texts,
    versions: fc.array(version, { minLength: 1, maxLength: 6 }),
    decimals: fc.nat(decimalsMax),
  });
  return shape.chain((drawn) => {
    const spans = new SpansBuilder();
    drawn.rows.forEach(([index, drawnSpan]) => {
      spans.append(index, drawnSpan);
    });
    const count = drawn.rows.reduce((sum, [, drawnSpan]) => sum + drawnSpan.count, 0);
    const textRuns = runs(count, drawn.texts.length);
    return fc
      .record({
        values: values(count),
        quality: runs(count, missingCode + 1),
        version: runs(count, drawn.versions.length),
        unit: textRuns,
        code: textRuns,
        method: textRuns,
        reason: textRuns,
      })
      .map((made) => ({
        ...made,
        values: made.values.map((value, index) => (isMissing(made.quality, index) ? 0 : value)),
        spans: spans.finish(),
        versions: versionsOf(drawn.versions),
        decimals: drawn.decimals,
        texts: drawn.texts,
      }));
  });
}

function isMissing(quality: Runs, index: number): boolean {
  return quality.values[quality.ends.findIndex((end) => end > index)] === missingCode;
}

function lineDeltas(count: number): fc.Arbitrary<Runs> {
  return runs(Math.max(0, count - 1), 5).map((rest) => {
    const builder = new RunsBuilder();
    builder.push(0, Math.min(1, count));
    rest.ends.forEach((end, run) => {
      builder.push(rest.values[run] as number, end - (rest.ends[run - 1] ?? 0));
    });
    return builder.finish();
  });
}

/** Any batch that the codec must carry, of up to some hundred readings. */
export const arbitraryReadingBatch: fc.Arbitrary<ReadingBatch> = someSeries.chain((drawnSeries) =>
  columns(drawnSeries.length).chain((drawnColumns) =>
    fc
      .record(
        {
          tenant,
          layer: fc.constantFrom(...layers),
          sourceId,
          acceptedAtMs: fc.nat(4e13),
          activation: counter,
          cause,
          firstLine: fc.nat(),
          lineDeltas: lineDeltas(drawnColumns.values.length),
        },
        { requiredKeys: ['tenant', 'layer', 'sourceId', 'acceptedAtMs', 'activation', 'firstLine', 'lineDeltas'] },
      )
      .map((header) => ({ ...header, series: drawnSeries, columns: drawnColumns })),
  ),
);

const touched: fc.Arbitrary<Touched> = someSeries.chain((drawnSeries) =>
  fc.array(fc.tuple(fc.nat(drawnSeries.length - 1), instantMs, fc.nat(1e10)), { maxLength: 40 }).map((rows) => ({
    series: drawnSeries,
    index: Uint32Array.from(rows, ([index]) => index),
    fromMs: Float64Array.from(rows, ([, fromMs]) => fromMs),
    toMs: Float64Array.from(rows, ([, fromMs, lengthMs]) => fromMs + lengthMs),
  })),
);

export const arbitraryStoredNotice: fc.Arbitrary<StoredNotice> = fc.record({
  tenant,
  layer: fc.constantFrom(...layers),
  activation: counter,
  key,
  causes,
  touched,
});

const level = fc.constantFrom('day' as const, 'month' as const);

export const arbitraryAggregatesStored: fc.Arbitrary<AggregatesStored> = fc.record({
  tenant,
  level,
  key,
  causes,
  touched,
});

const uint32 = fc.oneof(fc.constantFrom(0, 24, 96), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const completeDay = fc.record({
  index: fc.nat(),
  startMs: instantMs,
  lengthMs: fc.nat(1e10),
  ticket: counter,
  reason: fc.nat(completeReasons.length - 1),
  count: uint32,
  expected: uint32,
});

export const arbitraryWindowsComplete: fc.Arbitrary<WindowsComplete> = fc
  .record({ tenant, series: someSeries, days: fc.array(completeDay, { maxLength: 40 }) })
  .map(({ tenant: told, series: drawn, days }) => ({
    tenant: told,
    series: drawn,
    index: Uint32Array.from(days, ({ index }) => index % drawn.length),
    startMs: Float64Array.from(days, ({ startMs }) => startMs),
    endMs: Float64Array.from(days, ({ startMs, lengthMs }) => startMs + lengthMs),
    ticket: Float64Array.from(days, ({ ticket }) => ticket),
    reason: Uint8Array.from(days, ({ reason }) => reason),
    count: Uint32Array.from(days, ({ count }) => count),
    expected: Uint32Array.from(days, ({ expected }) => expected),
  }));

interface Aggregate extends Readonly<Record<RareCount, number>> {
  readonly peakOffsetMs: number;
  readonly expected: number;
  readonly sumHigh: number;
  readonly sumLow: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly quality: number;
}

/** The greatest numbers of a batch's aggregates: columns are written by what all of their numbers fit in. */
interface Magnitudes {
  readonly sumHigh: number;
  readonly sumLow: number;
  readonly extreme: number;
  /** How finely peaks are told; undefined: not at all. */
  readonly peakMs: number | undefined;
  /** What counts of rare things go up to. */
  readonly rare: number;
}

const int32Max = 2 ** 31 - 1;
const magnitudes: fc.Arbitrary<Magnitudes> = fc.record({
  sumHigh: fc.constantFrom(0, 1, 1e6),
  sumLow: fc.constantFrom(0, int32Max, int32Max + 2, 1e15 - 1),
  extreme: fc.constantFrom(0, int32Max, int32Max + 2, integerMax),
  peakMs: fc.constantFrom(undefined, 900_000, 1, 60_000),
  rare: fc.constantFrom(0, 0, 3, 2 ** 32 - 1),
});

function aggregate({ sumHigh, sumLow, extreme, peakMs, rare }: Magnitudes): fc.Arbitrary<Aggregate> {
  const rares = rareCounts.map((name) => [name, fc.oneof(fc.constant(0), fc.nat(rare))] as const);
  return fc
    .record({
      facts: fc.record(Object.fromEntries(rares) as Record<RareCount, fc.Arbitrary<number>>),
      peak: fc.oneof(fc.constant(-1), fc.nat(95), fc.nat(4e6)),
      lacking: fc.oneof(fc.constant(0), fc.nat(rare === 0 ? 0 : 96)),
      sum: fc.tuple(fc.nat(sumHigh), fc.nat(sumLow), fc.constantFrom(1, -1)),
      extremes: fc.tuple(fc.integer({ min: -extreme, max: 0 }), fc.integer({ min: -extreme, max: extreme })),
      count: fc.nat(100),
      quality: fc.nat(missingCode),
    })
    .map(({ sum: [high, low, sign], extremes, count, quality, facts, peak, lacking }) => ({
      ...facts,
      peakOffsetMs: peakMs === undefined || peak < 0 ? unknownPeak : peak * peakMs,
      expected: count + lacking,
      // Plus zero, never minus zero.
      sumHigh: high * sign + 0,
      sumLow: low * sign + 0,
      min: Math.min(...extremes) + 0,
      max: Math.max(...extremes) + 0,
      count,
      quality,
    }));
}

interface DrawnSheet {
  readonly series: number;
  readonly unit: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly version: number;
  readonly hour: readonly number[];
  readonly rows: readonly Aggregate[];
}

interface SheetBounds {
  readonly seriesCount: number;
  readonly textCount: number;
  readonly isMonth: boolean;
  readonly row: fc.Arbitrary<Aggregate>;
}

function sheet({ seriesCount, textCount, isMonth, row }: SheetBounds): fc.Arbitrary<DrawnSheet> {
  const hours: fc.Arbitrary<number[]> = isMonth ? fc.constant([]) : fc.uniqueArray(fc.nat(23), { maxLength: 24 });
  return fc
    .record({
      series: fc.nat(seriesCount - 1),
      unit: fc.nat(textCount - 1),
      startMs: instantMs,
      version: counter,
      hours,
      empty: fc.boolean(),
    })
    .chain((drawn) => {
      const hour = drawn.empty ? [] : [...Array.from(drawn.hours).sort((a, b) => a - b), wholeWindow];
      const rows = fc.array(row, { minLength: hour.length, maxLength: hour.length });
      return rows.map((drawnRows) => ({ ...drawn, endMs: drawn.startMs + 86_400_000, hour, rows: drawnRows }));
    });
}

/** Any batch of sheets that the codec must carry. */
export const arbitraryAggregateBatch: fc.Arbitrary<AggregateBatch> = fc
  .tuple(someSeries, texts, level, magnitudes)
  .chain(([drawnSeries, drawnTexts, drawnLevel, drawnMagnitudes]) => {
    const bounds: SheetBounds = {
      seriesCount: drawnSeries.length,
      textCount: drawnTexts.length,
      isMonth: drawnLevel === 'month',
      row: aggregate(drawnMagnitudes),
    };
    const sheets = fc.array(sheet(bounds), { maxLength: 6 });
    return fc
      .record({ tenant, ticket: counter, decimals: fc.nat(decimalsMax), causes, sheets })
      .map(({ sheets: drawn, ...header }) => {
        const rows = drawn.flatMap((one) => one.rows);
        return {
          ...header,
          level: drawnLevel,
          series: drawnSeries,
          texts: drawnTexts,
          sheets: {
            series: Uint32Array.from(drawn, (one) => one.series),
            startMs: Float64Array.from(drawn, (one) => one.startMs),
            endMs: Float64Array.from(drawn, (one) => one.endMs),
            unit: Uint32Array.from(drawn, (one) => one.unit),
            rows: Uint32Array.from(drawn, (one) => one.hour.length),
            declared: Float64Array.from(drawn, (one) => one.version),
            acceptedAtMs: Float64Array.from(drawn, (one) => one.version),
            activation: Float64Array.from(drawn, () => header.decimals),
            ticket: new Float64Array(drawn.length),
          },
          rows: {
            hour: Uint8Array.from(drawn.flatMap((one) => one.hour)),
            sumHigh: Float64Array.from(rows, (row) => row.sumHigh),
            sumLow: Float64Array.from(rows, (row) => row.sumLow),
            min: Float64Array.from(rows, (row) => row.min),
            max: Float64Array.from(rows, (row) => row.max),
            count: Uint32Array.from(rows, (row) => row.count),
            quality: Uint8Array.from(rows, (row) => row.quality),
            ...facts(rows),
          },
        };
      });
  });

function facts(rows: readonly Aggregate[]): Pick<AggregateRows, 'peakOffsetMs'> & OddColumns {
  const isOdd = (row: Aggregate): boolean => row.expected !== row.count || rareCounts.some((name) => row[name] > 0);
  const odd = [...rows.keys()].filter((row) => isOdd(rows[row] as Aggregate));
  return {
    peakOffsetMs: Float64Array.from(rows, (row) => row.peakOffsetMs),
    ...oddRows(
      Uint32Array.from(rows, (row) => row.count),
      odd,
      (index, number) => rows[odd[index] as number]?.[oddCounts[number] as (typeof oddCounts)[number]] as number,
    ),
  };
}
