import type { ReadingColumns } from '@meterflow/readings';
import { wholeWindow } from './aggregate-batch.ts';
import { AggregateRow, type AggregateBatchBuilder } from './aggregate-batch-builder.ts';
import { noInputs, type InputVersions } from './input-versions.ts';
import type { Calendar } from './calendar.ts';
import { dayChoice } from './day-choice.ts';
import { DayGrid } from './day-grid.ts';
import { ReadingSums } from './reading-sums.ts';
import { intervalsWithin, type RegisteredIntervals } from './registered-intervals.ts';

export interface DaySheetsRequest {
  /** The series' index in the builder. */
  readonly series: number;
  readonly calendar: Calendar;
  /** The local days [firstDay, endDay). */
  readonly firstDay: number;
  readonly endDay: number;
  /** The lengths registered of the series' intervals; where there is none, the day's most common one counts. */
  readonly intervals?: RegisteredIntervals;
  /** Quality codes of the source whose readings must not be billed. */
  readonly notBillableCodes?: ReadonlySet<string>;
}

const noCodes: ReadonlySet<string> = new Set();

/**
 * Computes local days and their elapsed hours from the whole current state of a series, exactly.
 *
 * A reading counts where it has a value and the length that is registered when it starts, in the hour and day in which
 * it starts. Register readings are no amounts. Readings of another length, and values that can't be converted to the
 * day's unit, are surplus: counted, not summed. A window's quality is calculated where any of its readings is, else
 * estimated where any is estimated or substituted, or missing, else measured. An hour in which none is summed has no row,
 * nor has a day without readings; a day that only has surplus has a row with count 0.
 */
export class DaySheets {
  readonly #readings = new ReadingSums();
  readonly #row = new AggregateRow();

  /**
   * Appends a sheet for each day of the request, also for those without a row: they withdraw what was there before.
   * (Only a day that the zone left out, at the date line, has none.)
   * `columns` are the latest readings of the UTC days that the local days touch, in any order.
   */
  append(builder: AggregateBatchBuilder, request: DaySheetsRequest, columns: readonly ReadingColumns[]): void {
    const { calendar, intervals = [], notBillableCodes = noCodes } = request;
    const grid = new DayGrid(calendar, request, intervals);
    const choice = dayChoice(columns, grid);
    const decimals = columns.reduce((most, segment) => Math.max(most, segment.decimals), 0);
    const inputs = new Array<InputVersions>(grid.days).fill(noInputs);
    this.#readings.slots.reset(grid.days * grid.stride);
    for (const segment of columns) {
      this.#readings.add(segment, { grid, choice, decimals, notBillableCodes, inputs });
    }
    for (let day = 0; day < grid.days; day++) {
      if (grid.dayStartMs(day) === grid.dayStartMs(day + 1)) {
        continue;
      }
      const isSummed = this.#fold(grid, day) > 0;
      builder.begin({
        series: request.series,
        startMs: grid.dayStartMs(day),
        endMs: grid.dayStartMs(day + 1),
        // Of a day in which nothing is summed, what is chosen hangs on the other days.
        unit: builder.text(isSummed ? (choice.unit[day] as string) : ''),
        decimals,
        inputs: inputs[day] as InputVersions,
      });
      this.#appendRows(builder, grid, { day, commonMs: choice.lengthMs[day] as number });
    }
  }

  /** Adds a day's hours up, and returns how many readings are summed in it. */
  #fold({ stride }: DayGrid, day: number): number {
    const { slots } = this.#readings;
    const daySlot = (day + 1) * stride - 1;
    for (let slot = day * stride; slot < daySlot; slot++) {
      slots.fold(daySlot, slot);
    }
    return slots.count(daySlot);
  }

  #appendRows(
    builder: AggregateBatchBuilder,
    grid: DayGrid,
    { day, commonMs }: { readonly day: number; readonly commonMs: number },
  ): void {
    const { slots } = this.#readings;
    const hourFrom = day * grid.stride;
    const daySlot = hourFrom + grid.stride - 1;
    for (let slot = hourFrom; slot < daySlot; slot++) {
      if (slots.count(slot) > 0) {
        const hour = slot - hourFrom;
        const startMs = grid.slotStartMs(day, hour);
        const span = { fromMs: startMs, toMs: grid.slotStartMs(day, hour + 1) };
        const expected = intervalsWithin(grid.intervals, commonMs, span);
        this.#appendRow(builder, slot, { hour, startMs, expected });
      }
    }
    if (slots.count(daySlot) > 0 || slots.surplus(daySlot) > 0) {
      const startMs = grid.dayStartMs(day);
      const expected = intervalsWithin(grid.intervals, commonMs, { fromMs: startMs, toMs: grid.dayStartMs(day + 1) });
      this.#appendRow(builder, daySlot, { hour: wholeWindow, startMs, expected });
    }
  }

  #appendRow(
    builder: AggregateBatchBuilder,
    slot: number,
    window: { readonly hour: number; readonly startMs: number; readonly expected: number },
  ): void {
    this.#readings.slots.read(slot, this.#row, window);
    this.#row.hour = window.hour;
    builder.append(this.#row);
  }
}
