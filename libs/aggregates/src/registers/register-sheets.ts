import type { ReadingColumns } from '@meterflow/readings';
import { wholeWindow } from '../aggregate-batch.ts';
import { AggregateRow, type AggregateBatchBuilder } from '../aggregate-batch-builder.ts';
import { noInputs, type InputVersions } from '../input-versions.ts';
import { dayChoice, type DayChoice } from '../day-choice.ts';
import { ReadingSums } from '../reading-sums.ts';
import { intervalsWithin, type RegisteredIntervals } from '../registered-intervals.ts';
import type { RegisterDays } from './register-days.ts';
import { RegisterGrid } from './register-grid.ts';

export interface RegisterSheetsRequest {
  /** By register of the plan, its series' index in the builder; undefined for one that is not asked for. */
  readonly series: readonly (number | undefined)[];
  readonly days: RegisterDays;
  /** Days of the plan's calendar [firstDay, endDay). */
  readonly firstDay: number;
  readonly endDay: number;
  /** As for hours and days. */
  readonly intervals?: RegisteredIntervals;
  readonly notBillableCodes?: ReadonlySet<string>;
}

/**
 * Computes what each register of a calendar counts on each day, from the whole current state of a series, exactly. Which
 * readings are summed, and in which unit, is chosen for the day as a whole, as `DaySheets` does: so the registers of a day
 * add up to it. A sheet holds the day alone, no hours.
 */
export class RegisterSheets {
  readonly #readings = new ReadingSums();
  readonly #row = new AggregateRow();

  /**
   * Appends a sheet for each register and day, also for those without a row: they withdraw what was there before.
   * `columns` are the latest readings of the UTC days that the days touch, in any order.
   */
  append(builder: AggregateBatchBuilder, request: RegisterSheetsRequest, columns: readonly ReadingColumns[]): void {
    const grid = new RegisterGrid(request.days, request, request.intervals ?? []);
    const choice = dayChoice(columns, grid);
    const decimals = columns.reduce((most, segment) => Math.max(most, segment.decimals), 0);
    const inputs = new Array<InputVersions>(grid.days).fill(noInputs);
    const { notBillableCodes = new Set() } = request;
    this.#readings.slots.reset(grid.days * grid.slotsPerDay);
    for (const segment of columns) {
      this.#readings.add(segment, { grid, choice, decimals, notBillableCodes, inputs });
    }
    request.series.forEach((series, register) => {
      for (let day = 0; series !== undefined && day < grid.days; day++) {
        const [startMs, endMs] = [grid.dayStartMs(day), grid.dayStartMs(day + 1)];
        if (startMs < endMs) {
          const isSummed = this.#readings.slots.count(day * grid.slotsPerDay + register) > 0;
          const unit = builder.text(isSummed ? (choice.unit[day] as string) : '');
          builder.begin({ series, startMs, endMs, unit, decimals, inputs: inputs[day] as InputVersions });
          this.#appendRow(builder, { request, grid, choice, day, register });
        }
      }
    });
  }

  #appendRow(
    builder: AggregateBatchBuilder,
    { request, grid, choice, day, register }: RegisterDay & { readonly request: RegisterSheetsRequest },
  ): void {
    const { slots } = this.#readings;
    const slot = day * grid.slotsPerDay + register;
    if (slots.count(slot) === 0 && slots.surplus(slot) === 0) {
      return;
    }
    const startMs = grid.dayStartMs(day);
    const commonMs = choice.lengthMs[day] as number;
    const parts = request.days.covered(register, { fromMs: startMs, toMs: grid.dayStartMs(day + 1) });
    const expected = parts.reduce((sum, part) => sum + intervalsWithin(grid.intervals, commonMs, part), 0);
    slots.read(slot, this.#row, { startMs, expected });
    this.#row.hour = wholeWindow;
    builder.append(this.#row);
  }
}

interface RegisterDay {
  readonly grid: RegisterGrid;
  readonly choice: DayChoice;
  readonly day: number;
  readonly register: number;
}
