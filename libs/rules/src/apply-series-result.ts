import {
  BatchBuilder,
  missingCode,
  noLongerEmitted,
  qualities,
  ReadingCursor,
  readingCount,
  ReadingRow,
  versionAt,
  type ReadingBatch,
  type ReadingColumns,
  type SeriesName,
  type Version,
} from '@meterflow/readings';
import { applyFlowResult } from './apply-flow-result.ts';
import { RuleFailureError, type FlowResult } from './sandbox.ts';
import { compareStamps, MadeReadingsBuilder, madeWithin, type MadeReading, type MadeSpan } from './made-readings.ts';
import { noRawVersion } from './own-readings.ts';
import type { SeriesResult } from './series-run.ts';
import type { ValidatedRows } from './validated-rows.ts';

/** What was emitted, in the order of a channel's place in the flow's emits. */
export type EmitsBy = readonly string[];

/** What is written of a day, and at which version. */
export interface DayStamp {
  readonly activation: number;
  readonly ticket: number;
  /** Decimals that a changed or new value is rounded to. */
  readonly decimals: number;
  readonly onFailure: 'skip' | 'reject';
  /** Only readings that begin at such an instant are written: an activation may count for a part of a day. */
  readonly counts: (startMs: number) => boolean;
}

export interface StoredDay {
  readonly series: SeriesName;
  /** What is stored of the day, latest versions. */
  readonly columns: readonly ReadingColumns[];
}

/** Identities of readings that a day's run gave, to find what it no longer gives. */
export class GivenReadings {
  /** What it stated of readings that nobody sent: given and withdrawn. */
  readonly made: MadeReadingsBuilder;
  readonly #given = new Set<string>();

  constructor(made = new MadeReadingsBuilder()) {
    this.made = made;
  }

  add({ channel }: SeriesName, startMs: number, lengthMs: number): void {
    this.#given.add(`${channel}\n${startMs}\n${lengthMs}`);
  }

  has({ channel }: SeriesName, startMs: number, lengthMs: number): boolean {
    return this.#given.has(`${channel}\n${startMs}\n${lengthMs}`);
  }
}

/**
 * Writes the readings of a day as its flow left them. A gap that nothing filled is not written: where an earlier run
 * filled it, {@link withdraw} makes it an absence. Returns what the flow rejected, raw.
 */
export function writeDay(
  rows: ValidatedRows,
  day: { readonly batch: ReadingBatch; readonly result: FlowResult },
  { stamp, given }: { readonly stamp: DayStamp; readonly given: GivenReadings },
): ReadingBatch | undefined {
  const { batch, result } = day;
  const { decimals, onFailure, activation, ticket } = stamp;
  const { validated, rejected } = applyFlowResult(batch, result, { key: noKey, decimals, onFailure });
  for (const part of validated) {
    const cursor = new ReadingCursor(part.columns);
    while (cursor.next()) {
      const raw = versionAt(part.columns.versions, cursor.versionIndex);
      const isGap = cursor.qualityCode === missingCode && !hasRaw(raw);
      const series = part.series[cursor.series] as SeriesName;
      if (!isGap && stamp.counts(cursor.startMs)) {
        given.add(series, cursor.startMs, cursor.lengthMs);
        if (!hasRaw(raw)) {
          given.made.add(series, cursor.startMs, cursor.lengthMs);
        }
        rows.copy(cursor, { series, version: { ...raw, activation, ticket } });
      }
    }
  }
  return rejected;
}

const noKey = '0'.repeat(32);

/** Writes what a run emitted on other channels of the meter. Throws {@link RuleFailureError} for what no flow may emit. */
export function writeEmitted(
  rows: ValidatedRows,
  emission: {
    readonly result: SeriesResult;
    /** How many readings the day itself has. */
    readonly count: number;
    readonly emits: EmitsBy;
    readonly series: SeriesName;
  },
  { stamp, given }: { readonly stamp: DayStamp; readonly given: GivenReadings },
): void {
  const batch = emittedBatch(emission);
  const { activation, ticket } = stamp;
  const cut = cutResult(emission.result, emission.count);
  const { validated } = applyFlowResult(batch, cut, { key: noKey, decimals: stamp.decimals, onFailure: 'reject' });
  for (const part of validated) {
    const cursor = new ReadingCursor(part.columns);
    while (cursor.next()) {
      const series = part.series[cursor.series] as SeriesName;
      if (stamp.counts(cursor.startMs)) {
        given.add(series, cursor.startMs, cursor.lengthMs);
        given.made.add(series, cursor.startMs, cursor.lengthMs);
        // No raw version: what a provider sends of the same instant counts before what is made, whichever came first.
        // The code says which channel it was made of: so its own run alone withdraws it.
        rows.copy(cursor, {
          series,
          version: { ...noRawVersion, activation, ticket },
          texts: { code: emission.series.channel },
        });
      }
    }
  }
}

/** What a day's earlier runs may have left, and what its run may make. */
export interface Withdrawal {
  readonly own: SeriesName;
  readonly stored: readonly StoredDay[];
  /** What earlier runs made that may still be on its way into the store. */
  readonly made: readonly MadeSpan[];
  /** Channels that the flow fills or makes readings on, of this series. */
  readonly makes: readonly string[];
  readonly stamp: DayStamp;
  readonly given: GivenReadings;
}

/**
 * Makes absences of what is stored of a day, or on its way there, and no run gives any more, none of them with a raw one: on the
 * series' own channel what was filled (not what is made of another), and on others what was made of it. What this flow can't
 * have made is of an earlier activation: its absence has ticket 0, so that whatever else makes the reading now counts before it.
 */
export function withdraw(rows: ValidatedRows, withdrawal: Withdrawal): void {
  const { own, stored, stamp, given } = withdrawal;
  for (const { series, columns } of stored) {
    for (const segment of columns) {
      const cursor = new ReadingCursor(segment);
      while (cursor.next()) {
        const { startMs, lengthMs, unit } = cursor;
        const version = versionAt(segment.versions, cursor.versionIndex);
        const isOwn = !hasRaw(version) && cursor.code === makerOf(withdrawal, series);
        if (isOwn && cursor.qualityCode !== missingCode && isGone({ stamp, given }, series, [startMs, lengthMs])) {
          writeWithdrawn(rows, withdrawal, { channel: series.channel, startMs, lengthMs, unit });
        }
      }
    }
  }
  for (const { isOthers, channel, startMs, lengthMs } of onTheirWay(withdrawal)) {
    if (!isGone({ stamp, given }, { ...own, channel }, [startMs, lengthMs])) {
      continue;
    }
    if (isOthers) {
      // Stated, so that the next run looks again.
      given.made.add({ channel }, startMs, lengthMs);
    } else {
      writeWithdrawn(rows, withdrawal, { channel, startMs, lengthMs, unit: '' });
    }
  }
}

/** Neither given nor withdrawn by this run. */
function isGone(
  { stamp, given }: Pick<Withdrawal, 'stamp' | 'given'>,
  series: SeriesName,
  [startMs, lengthMs]: readonly [startMs: number, lengthMs: number],
): boolean {
  return (
    stamp.counts(startMs) &&
    !given.has(series, startMs, lengthMs) &&
    !given.made.has({ channel: series.channel, startMs, lengthMs })
  );
}

function writeWithdrawn(
  rows: ValidatedRows,
  withdrawal: Withdrawal,
  { channel, startMs, lengthMs, unit }: MadeReading & { readonly unit: string },
): void {
  const { own, makes, stamp, given } = withdrawal;
  const series = { meter: own.meter, channel };
  const { activation } = stamp;
  const version = { ...noRawVersion, activation, ticket: makes.includes(channel) ? stamp.ticket : 0 };
  const texts = { unit, code: makerOf(withdrawal, series), reason: noLongerEmitted };
  rows.absence({ startMs, lengthMs }, { series, version, texts });
  given.made.add(series, startMs, lengthMs);
}

/** The code of readings that the series' run makes on a channel. */
function makerOf({ own }: Withdrawal, { channel }: SeriesName): string {
  return channel === own.channel ? '' : own.channel;
}

/** As made by this series; of another's where the store shows a living one that another channel made, see {@link isOthers}. */
interface ReadingOnItsWay extends MadeReading {
  readonly isOthers: boolean;
}

/** What earlier runs made and the store does not show yet, nor anything that counts before it. */
function* onTheirWay(withdrawal: Withdrawal): Generator<ReadingOnItsWay> {
  const { stored, made } = withdrawal;
  if (made.every((span) => span.made.length === 0)) {
    return;
  }
  const shown = new Map<string, ShownReading>();
  for (const { series, columns } of stored) {
    for (const segment of columns) {
      for (const cursor = new ReadingCursor(segment); cursor.next();) {
        const version = versionAt(segment.versions, cursor.versionIndex);
        const key = `${series.channel}\n${cursor.startMs}\n${cursor.lengthMs}`;
        shown.set(key, { version, isMissing: cursor.qualityCode === missingCode, code: cursor.code });
      }
    }
  }
  for (const span of made) {
    for (const reading of madeWithin(span.made, span.fromMs, span.toMs)) {
      const there = shown.get(`${reading.channel}\n${reading.startMs}\n${reading.lengthMs}`);
      if (there === undefined || !countsBefore(there, span)) {
        yield { ...reading, isOthers: there !== undefined && isOthers(there, withdrawal, reading.channel) };
      }
    }
  }
}

interface ShownReading {
  readonly version: Version;
  readonly isMissing: boolean;
  readonly code: string;
}

/**
 * Whether another channel made it under the activation that counts: both are under one glob. An absence of this run's ticket
 * would hide what the other one still makes.
 */
function isOthers({ version, isMissing, code }: ShownReading, withdrawal: Withdrawal, channel: string): boolean {
  const { own, stamp } = withdrawal;
  const isMade = !hasRaw(version) && !isMissing && version.activation === stamp.activation;
  return isMade && code !== makerOf(withdrawal, { ...own, channel });
}

/** Whether all that a run and those before it made of a reading is shadowed by what is there. */
function countsBefore({ version, isMissing }: ShownReading, span: MadeSpan): boolean {
  // Withdrawn at ticket 0: its activation's flow can't have made it, so that only earlier ones have.
  const isLeft = version.activation === span.activation && isMissing && version.ticket === 0;
  return hasRaw(version) || isLeft || compareStamps(version, span) >= 0;
}

function hasRaw({ declared, acceptedAtMs }: Version): boolean {
  return declared !== 0 || acceptedAtMs !== 0;
}

/** The emitted readings as a batch, still without their values. */
function emittedBatch({ result, count, emits, series }: Parameters<typeof writeEmitted>[1]): ReadingBatch {
  const { channel, startMs, lengthMs } = result.emitted;
  const builder = new BatchBuilder(Math.max(1, channel.length));
  const row = new ReadingRow();
  for (let index = 0; index < channel.length; index++) {
    const name = emits[channel[index] as number];
    const quality = result.quality[count + index] as number;
    if (name === undefined || !Number.isSafeInteger(startMs[index]) || quality >= qualities.length) {
      throw new RuleFailureError('rule-returned-nonsense', 'a flow emitted what no rule can emit');
    }
    row.series = builder.series(series.meter, name);
    row.startMs = startMs[index] as number;
    row.lengthMs = lengthMs[index] as number;
    row.version = builder.version(noRawVersion);
    builder.append(row);
  }
  return builder.finish({ tenant: 'none', layer: 'raw', sourceId: '', acceptedAtMs: 0, activation: 0 });
}

/** The part of a result that follows the first `count` readings. */
function cutResult(result: SeriesResult, count: number): FlowResult {
  const to = result.changes.length;
  return {
    any: result.changes.subarray(count, to).reduce((any, bits) => any | bits, 0),
    changes: result.changes.subarray(count, to),
    values: result.values.subarray(count, to),
    quality: result.quality.subarray(count, to),
    unit: result.unit.subarray(count, to),
    method: result.method.subarray(count, to),
    reason: result.reason.subarray(count, to),
    texts: result.texts,
    failures: [],
  };
}

/** The part of a result that is about the day itself. */
export function dayResult(result: SeriesResult, batch: ReadingBatch): FlowResult {
  const count = readingCount(batch);
  return {
    any: result.changes.subarray(0, count).reduce((any, bits) => any | bits, 0),
    changes: result.changes.subarray(0, count),
    values: result.values.subarray(0, count),
    quality: result.quality.subarray(0, count),
    unit: result.unit.subarray(0, count),
    method: result.method.subarray(0, count),
    reason: result.reason.subarray(0, count),
    texts: result.texts,
    failures: result.failures,
  };
}
