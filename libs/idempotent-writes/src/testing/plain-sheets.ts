import {
  AggregateBatchBuilder,
  AggregateRow,
  noInputs,
  SheetCursor,
  type AggregateBatch,
  type InputVersions,
  type RareCount,
  type SheetLevel,
} from '@meterflow/aggregates';
import type { Cause } from '@meterflow/readings';
import type { AggregateWrite } from '../aggregate-store.ts';
import { freshKey } from './plain-state.ts';

/** One sheet as a person would write it down: sums by hour (255: the whole window), in thousandths. */
export interface PlainSheet {
  readonly meter?: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly unit?: string;
  readonly sums: Readonly<Record<number, number>>;
  /** Of each of its rows; without, four readings are all there and measured, and the second is the peak. */
  readonly facts?: Partial<Pick<AggregateRow, 'count' | 'peakOffsetMs' | 'expected' | RareCount>>;
  readonly inputs?: InputVersions;
}

export interface PlainAggregates {
  readonly ticket: number;
  readonly sheets: readonly PlainSheet[];
  readonly tenant?: string;
  readonly level?: SheetLevel;
  readonly causes?: readonly Cause[];
  readonly decimals?: number;
}

export function aggregateWrite({
  ticket,
  sheets,
  tenant = 'acme',
  level = 'day',
  causes = [],
  decimals = 3,
}: PlainAggregates): AggregateWrite {
  const builder = new AggregateBatchBuilder();
  for (const { meter = 'm1', startMs, endMs, unit = 'kWh', sums, facts, inputs = noInputs } of sheets) {
    const series = builder.series(meter, 'import');
    builder.begin({ series, startMs, endMs, unit: builder.text(unit), decimals, inputs });
    for (const [hour, sum] of Object.entries(sums)) {
      const scaled = sum * 10 ** (decimals - 3);
      const row = Object.assign(new AggregateRow(), {
        hour: Number(hour),
        sumHigh: 0,
        sumLow: scaled,
        min: scaled,
        max: scaled,
        count: 4,
        quality: 0,
        peakOffsetMs: 900_000,
        expected: 4,
        ...facts,
      });
      builder.append(row);
    }
  }
  return { key: freshKey(), batch: builder.finish({ tenant, level, ticket, causes }) };
}

/** A batch as text, a line for each row: start, hour, sum in thousandths, unit. */
export function shownAggregates(batch: AggregateBatch): string[] {
  const cursor = new SheetCursor(batch);
  const lines: string[] = [];
  while (cursor.next()) {
    for (let row = cursor.rowsFrom; row < cursor.rowsTo; row++) {
      const sum = ((batch.rows.sumLow[row] as number) / 10 ** batch.decimals) * 1000;
      lines.push(`${cursor.startMs} ${batch.rows.hour[row]} ${Math.round(sum)} ${cursor.unit}`);
    }
  }
  return lines;
}
