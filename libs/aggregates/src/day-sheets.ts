import { powersOfTen, type ReadingColumns } from '@meterflow/readings';
import { wholeWindow } from './aggregate-batch.ts';
import { AggregateRow, type AggregateBatchBuilder } from './aggregate-batch-builder.ts';
import type { Calendar } from './calendar.ts';
import { dayChoice, type DayChoice } from './day-choice.ts';
import { DayGrid } from './day-grid.ts';
import { ReadingRuns } from './reading-runs.ts';
import { SlotSums } from './slot-sums.ts';
import { multiplier } from './unit-choice.ts';

export interface DaySheetsRequest {
  /** The series' index in the builder. */
  readonly series: number;
  readonly calendar: Calendar;
  /** The local days [firstDay, endDay). */
  readonly firstDay: number;
  readonly endDay: number;
  /** The series' registered interval; without it each day's most common one counts. */
  readonly intervalMs?: number;
}

/**
 * Computes local days and their elapsed hours from the whole current state of a series, exactly.
 *
 * A reading counts where it has a value and the registered length, in the hour and day in which it starts. Readings of
 * another length are surplus; register readings are no amounts; values that can't be converted to the day's unit can't
 * be added: none of these is summed. A window's quality is calculated where any of its readings is, else estimated
 * where any is estimated or substituted, else measured. Windows without a reading have no row.
 */
export class DaySheets {
  readonly #sums = new SlotSums();
  readonly #row = new AggregateRow();

  /**
   * Appends a sheet for each day of the request, also for those without a row: they withdraw what was there before.
   * (Only a day that the zone left out, at the date line, has none.)
   * `columns` are the latest readings of the UTC days that the local days touch, in any order.
   */
  append(builder: AggregateBatchBuilder, request: DaySheetsRequest, columns: readonly ReadingColumns[]): void {
    const grid = new DayGrid(request.calendar, request.firstDay, request.endDay);
    const choice = dayChoice(columns, grid, request.intervalMs);
    const decimals = columns.reduce((most, segment) => Math.max(most, segment.decimals), 0);
    this.#sums.reset(grid.days * grid.stride);
    for (const segment of columns) {
      this.#sum(segment, grid, { choice, decimals });
    }
    for (let day = 0; day < grid.days; day++) {
      if (grid.dayStartMs(day) === grid.dayStartMs(day + 1)) {
        continue;
      }
      builder.begin({
        series: request.series,
        startMs: grid.dayStartMs(day),
        endMs: grid.dayStartMs(day + 1),
        unit: builder.text(choice.unit[day] as string),
        decimals,
      });
      this.#appendRows(builder, day * grid.stride, (day + 1) * grid.stride - 1);
    }
  }

  #sum(segment: ReadingColumns, grid: DayGrid, plan: { choice: DayChoice; decimals: number }): void {
    const { choice, decimals } = plan;
    const runs = new ReadingRuns(segment, grid);
    const run = { values: segment.values, from: 0, to: 0 };
    const aligning = decimals - segment.decimals;
    while (runs.next()) {
      if (runs.lengthMs !== choice.lengthMs[grid.day]) {
        continue;
      }
      const power = multiplier(segment.texts[runs.unit] as string, choice.unit[grid.day] as string);
      if (power === undefined) {
        continue;
      }
      run.from = runs.from;
      run.to = runs.to;
      this.#sums.add(grid.slot, run, powersOfTen[aligning + power] as number);
      this.#sums.note(grid.slot, runs.quality);
    }
  }

  #appendRows(builder: AggregateBatchBuilder, hourFrom: number, daySlot: number): void {
    for (let slot = hourFrom; slot < daySlot; slot++) {
      if (this.#sums.count(slot) > 0) {
        this.#sums.fold(daySlot, slot);
        this.#sums.read(slot, this.#row);
        this.#row.hour = slot - hourFrom;
        builder.append(this.#row);
      }
    }
    if (this.#sums.count(daySlot) > 0) {
      this.#sums.read(daySlot, this.#row);
      this.#row.hour = wholeWindow;
      builder.append(this.#row);
    }
  }
}
