import { BatchBuilder, ReadingCursor, ReadingRow, type ReadingBatch, type ReadingColumns } from '@meterflow/readings';
import {
  change,
  channelNeeds,
  readInputs,
  RuleFailureError,
  SeriesDays,
  SeriesWindows,
  ValidatedRows,
  type Activation,
  type DueDays,
  type RunFlow,
  type Sandbox,
  type SeriesInputs,
  type SeriesWork,
  type StoredReadings,
} from '@meterflow/rules';
import { intervalMsAt, tagsAt, type SettingsSnapshot } from '@meterflow/registry';

/** What failed so far on one side. */
export interface FailureTally {
  readings: number;
  /** The first ones, in the words of the sandbox. */
  readonly first: string[];
}

export const failuresShownMax = 10;

export interface DaysRequest {
  readonly tenant: string;
  readonly due: DueDays;
  /** Of both sides: what any of them looks at is read. */
  readonly activations: readonly Activation[];
  readonly settings: SettingsSnapshot;
  readonly closedThroughMs: number;
}

/** The days of a series with what is stored around them, for either side; undefined where nothing of it is stored. */
export async function daysWork(
  raw: StoredReadings,
  { tenant, due, activations, settings, closedThroughMs }: DaysRequest,
): Promise<Omit<SeriesWork, 'activations'> | undefined> {
  const { series } = due;
  const needs = activations.flatMap(({ flow }) => channelNeeds(flow, series) ?? []);
  const own = settings.of(series.meter, series.channel);
  const inputs = await readInputs((layer) => (layer === 'raw' ? raw : nothingStored), {
    ...{ tenant, due, emits: [], reads: [...new Set(needs.flatMap((each) => each.reads))] },
    backDays: Math.max(0, ...needs.map(({ lookBackDays }) => lookBackDays)),
    aheadDays: Math.max(0, ...needs.map(({ lookAheadDays }) => lookAheadDays)),
    intervalMsOf: (channel, atMs) => intervalMsAt(settings.of(series.meter, channel), atMs),
    ...{ sinceMs: own.sinceMs, closedThroughMs },
  });
  if ([inputs.own, ...inputs.others].every(({ columns }) => columns.length === 0)) {
    return undefined;
  }
  const facts = {
    ...{ tenant, series, unit: own.unit, closedThroughMs, activation: 0, days: inputs.days },
    tagsAt: (atMs: number) => tagsAt(own, atMs),
  };
  return { facts, inputs, windows: new SeriesWindows(facts, inputs.own, inputs.others), ticket: 0 };
}

/** What an earlier run left is not looked at: the two sides are held against each other. */
const nothingStored: StoredReadings = { read: () => Promise.resolve([]), firstMs: () => Promise.resolve(undefined) };

/** The days from the first on of which something was stored so far: before it a stage has nothing to do. */
export function daysSince(
  { own, others, days }: SeriesInputs,
  { days: due }: DueDays,
  isBegun: boolean,
): readonly number[] {
  const columns = [own, ...others].flatMap((each) => each.columns);
  const firstMs = isBegun ? -Infinity : Math.min(...columns.map(firstStartMs));
  return due.map((day) => day - days.firstDay).filter((day) => (days.startMs[day + 1] as number) > firstMs);
}

function firstStartMs(columns: ReadingColumns): number {
  const cursor = new ReadingCursor(columns);
  return cursor.next() ? cursor.startMs : Infinity;
}

export interface DaysSide {
  readonly sandbox: Pick<Sandbox, 'run' | 'runSeries'>;
  readonly work: SeriesWork;
  readonly days: readonly number[];
  readonly failures: FailureTally;
}

/** So many days wait in the sandbox at once: enough that it never waits for us. */
const daysAtOnceMax = 8;

/** What the stage would write of the days, by channel, in the order of starts, then lengths. */
export async function runDays({ sandbox, work, days, failures }: DaysSide): Promise<Map<string, ReadingColumns[]>> {
  const rows = new ValidatedRows(work.facts.tenant, 0);
  const runFlow = tallyingRunFlow(failures);
  const together = new SeriesDays({ sandbox, runFlow }, work, days);
  for (let from = 0; from < days.length; from += daysAtOnceMax) {
    const atOnce = days.slice(from, from + daysAtOnceMax);
    const outcomes = await Promise.all(atOnce.map((day) => together.run(day)));
    outcomes.flat().forEach(({ write }) => {
      write(rows);
    });
  }
  return byChannel(rows.finish());
}

/** As the stage runs a flow, but that a day which is parked, or retried in vain, is like one rejected: it gives nothing. */
function tallyingRunFlow(tally: FailureTally): RunFlow {
  return async (flow, run, failed) => {
    const onFailure = flow.onFailure === 'skip' ? 'skip' : 'reject';
    const { result, message } = await run().then(
      (each) => ({ result: each, message: each.failures[0]?.message }),
      (error: unknown) => {
        if (error instanceof RuleFailureError) {
          return { result: failed(error.code), message: error.message };
        }
        throw error;
      },
    );
    tally.readings += result.changes.filter((bits) => (bits & change.failed) !== 0).length;
    if (message !== undefined && tally.first.length < failuresShownMax) {
      tally.first.push(message);
    }
    return { result, onFailure, failures: result.failures };
  };
}

type Row = Omit<ReadingRow, 'series' | 'unit' | 'code' | 'method' | 'reason' | 'version' | 'line'> &
  Readonly<Record<'unit' | 'code' | 'method' | 'reason', string>>;

/** A day has its slots first, then what else it has: here the starts alone count. */
function byChannel(batches: readonly ReadingBatch[]): Map<string, ReadingColumns[]> {
  const rows = new Map<string, Row[]>();
  for (const { columns, series } of batches) {
    const cursor = new ReadingCursor(columns);
    while (cursor.next()) {
      const { startMs, lengthMs, integer, qualityCode: quality, unit, code, method, reason } = cursor;
      const channel = series[cursor.series]?.channel ?? '';
      const of = rows.get(channel) ?? [];
      of.push({ startMs, lengthMs, integer, decimals: columns.decimals, quality, unit, code, method, reason });
      rows.set(channel, of);
    }
  }
  return new Map(
    [...rows].map(([channel, of]) => [
      channel,
      columnsOf(of.sort((a, b) => a.startMs - b.startMs || a.lengthMs - b.lengthMs)),
    ]),
  );
}

function columnsOf(rows: readonly Row[]): ReadingColumns[] {
  const done: ReadingColumns[] = [];
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  const finish = (): void => {
    const header = { tenant: '', layer: 'validated', sourceId: '', acceptedAtMs: 0, activation: 0 } as const;
    done.push(builder.finish(header).columns);
  };
  for (const { unit, code, method, reason, ...numbers } of rows) {
    if (!builder.takes(numbers.integer, numbers.decimals)) {
      finish();
    }
    Object.assign(row, numbers);
    row.series = builder.series('meter', 'channel');
    row.unit = builder.text(unit);
    row.code = builder.text(code);
    row.method = builder.text(method);
    row.reason = builder.text(reason);
    row.version = builder.version({ declared: 0, acceptedAtMs: 0, activation: 0, ticket: 0, computed: true });
    builder.append(row);
  }
  if (builder.count > 0) {
    finish();
  }
  return done;
}
