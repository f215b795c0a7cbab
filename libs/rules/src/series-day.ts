import {
  BatchBuilder,
  missingCode,
  ReadingCursor,
  ReadingRow,
  versionAt,
  type ReadingBatch,
  type ReadingColumns,
  type SeriesName,
  type Version,
} from '@meterflow/readings';
import type { LocalDays } from './local-days.ts';
import { slotCount, slotOf } from './raw-window.ts';

/** Version of a reading that has no raw one. */
export const noRawVersion: Version = { declared: 0, acceptedAtMs: 0, activation: 0, ticket: 0, computed: true };

/** One local day as a batch: its slots in order, a gap as a reading of quality missing, then its register readings. */
export interface DayBatch {
  readonly batch: ReadingBatch;
  readonly slots: number;
  /** Readings of the day that are neither: of another length, or off the grid. They pass as they came. */
  readonly others: ReadingBatch;
}

export interface DayBatchRequest {
  readonly tenant: string;
  readonly series: SeriesName;
  readonly days: LocalDays;
  readonly day: number;
  readonly intervalMs: number;
  readonly activation: number;
  /** Texts that the batch must hold, from its first on: windows name their units by these places. */
  readonly texts: readonly string[];
}

/** Makes the batch of a day from the raw segments around it, in the order of their starts. */
export function dayBatch(segments: readonly ReadingColumns[], request: DayBatchRequest): DayBatch {
  const { days, day, intervalMs, tenant, series, activation, texts } = request;
  const fromMs = days.startMs[day] as number;
  const slots = slotCount((days.startMs[day + 1] as number) - fromMs, intervalMs);
  const header = { tenant, layer: 'raw', sourceId: seriesFlowSource, acceptedAtMs: 0, activation } as const;
  const found = new Map<number, ReadingCursorAt>();
  const registers: ReadingCursorAt[] = [];
  const rest: ReadingCursorAt[] = [];
  eachOfDay(segments, request, (at, startMs, lengthMs) => {
    const slot = lengthMs === intervalMs && lengthMs > 0 ? slotOf(days, day, { startMs, intervalMs }) : -1;
    if (lengthMs === 0) {
      registers.push(at);
    } else if (slot >= 0) {
      found.set(slot, at);
    } else {
      rest.push(at);
    }
  });
  const rows = new RowWriter(slots + registers.length, series, texts);
  for (let slot = 0; slot < slots; slot++) {
    const at = found.get(slot);
    if (at === undefined) {
      rows.gap(fromMs + slot * intervalMs, intervalMs);
    } else {
      rows.copy(at);
    }
  }
  registers.forEach((at) => {
    rows.copy(at);
  });
  const others = new RowWriter(rest.length, series, ['']);
  rest.forEach((at) => {
    others.copy(at);
  });
  return { batch: rows.finish(header), slots, others: others.finish(header) };
}

/** Where series flows say that their readings come from. */
export const seriesFlowSource = 'series-flows';

/** A copy of where a cursor was. */
interface ReadingCursorAt {
  readonly startMs: number;
  readonly lengthMs: number;
  readonly integer: number;
  readonly decimals: number;
  readonly quality: number;
  readonly unit: string;
  readonly code: string;
  readonly method: string;
  readonly reason: string;
  readonly version: Version;
}

function eachOfDay(
  segments: readonly ReadingColumns[],
  { days, day }: DayBatchRequest,
  visit: (at: ReadingCursorAt, startMs: number, lengthMs: number) => void,
): void {
  const fromMs = days.startMs[day] as number;
  const toMs = days.startMs[day + 1] as number;
  for (const columns of segments) {
    if (!mayTouch(columns, fromMs, toMs)) {
      continue;
    }
    const cursor = new ReadingCursor(columns);
    while (cursor.next()) {
      const { startMs } = cursor;
      if (startMs >= fromMs && startMs < toMs) {
        const { lengthMs, integer, qualityCode: quality, unit, code, method, reason } = cursor;
        const version = versionAt(columns.versions, cursor.versionIndex);
        const { decimals } = columns;
        visit(
          { startMs, lengthMs, integer, decimals, quality, unit, code, method, reason, version },
          startMs,
          lengthMs,
        );
      }
    }
  }
}

/** Whether any reading may start in [fromMs, toMs): a look at spans, of which a segment has few. */
function mayTouch({ spans }: ReadingColumns, fromMs: number, toMs: number): boolean {
  return spans.startMs.some((startMs, span) => {
    const lastMs = startMs + ((spans.count[span] as number) - 1) * (spans.stepMs[span] as number);
    return startMs < toMs && lastMs >= fromMs;
  });
}

class RowWriter {
  readonly #builder: BatchBuilder;
  readonly #row = new ReadingRow();

  constructor(readingsMax: number, { meter, channel }: SeriesName, texts: readonly string[]) {
    this.#builder = new BatchBuilder(Math.max(1, readingsMax));
    this.#row.series = this.#builder.series(meter, channel);
    texts.forEach((text) => this.#builder.text(text));
  }

  gap(startMs: number, lengthMs: number): void {
    const row = this.#row;
    row.startMs = startMs;
    row.lengthMs = lengthMs;
    row.integer = 0;
    row.decimals = 0;
    row.quality = missingCode;
    row.unit = 0;
    row.code = 0;
    row.method = 0;
    row.reason = 0;
    row.version = this.#builder.version(noRawVersion);
    this.#builder.append(row);
  }

  copy(at: ReadingCursorAt): void {
    const row = this.#row;
    const builder = this.#builder;
    row.startMs = at.startMs;
    row.lengthMs = at.lengthMs;
    row.integer = at.integer;
    row.decimals = at.decimals;
    row.quality = at.quality;
    row.unit = builder.text(at.unit);
    row.code = builder.text(at.code);
    row.method = builder.text(at.method);
    row.reason = builder.text(at.reason);
    row.version = builder.version(at.version);
    builder.append(row);
  }

  finish(header: Parameters<BatchBuilder['finish']>[0]): ReadingBatch {
    return this.#builder.finish(header);
  }
}
