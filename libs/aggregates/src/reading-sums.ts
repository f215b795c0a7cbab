import { powersOfTen, qualityCode, type ReadingColumns } from '@meterflow/readings';
import type { InputVersions } from './input-versions.ts';
import type { DayChoice } from './day-choice.ts';
import type { DayGrid } from './day-grid.ts';
import { newerInputs, newestInputs } from './newest-inputs.ts';
import { countNotBillable } from './not-billable.ts';
import { ReadingRuns } from './reading-runs.ts';
import { SlotSums, type Values } from './slot-sums.ts';
import { multiplier } from './unit-choice.ts';

const [measured, estimated, substituted, calculated] = (
  ['measured', 'estimated', 'substituted', 'calculated'] as const
).map(qualityCode);

export interface SumPlan {
  readonly grid: DayGrid;
  readonly choice: DayChoice;
  readonly decimals: number;
  readonly notBillableCodes: ReadonlySet<string>;
  /** Of each day, the newest of what was summed in it. */
  readonly inputs: InputVersions[];
}

/** Sums readings in the slots of a grid: those of each day's length and unit; all others are surplus. */
export class ReadingSums {
  readonly slots = new SlotSums();
  readonly #run: { -readonly [Name in keyof Values]: Values[Name] } = {
    values: new Float64Array(0),
    from: 0,
    to: 0,
    startMs: 0,
    stepMs: 0,
  };

  add(segment: ReadingColumns, plan: SumPlan): void {
    const { grid, choice, decimals } = plan;
    const runs = new ReadingRuns(segment, grid);
    const newest = newestInputs(segment);
    const run = this.#run;
    run.values = segment.values;
    const aligning = decimals - segment.decimals;
    let dayNoted = -1;
    while (runs.next()) {
      const { day, slot } = grid;
      const lengthMs = grid.intervalMs ?? choice.lengthMs[day];
      const power =
        runs.lengthMs === lengthMs
          ? multiplier(segment.texts[runs.unit] as string, choice.unit[day] as string)
          : undefined;
      if (power === undefined) {
        this.slots.countRare(slot, 'surplus', runs.to - runs.from);
        continue;
      }
      if (day !== dayNoted) {
        dayNoted = day;
        plan.inputs[day] = newerInputs(plan.inputs[day] as InputVersions, newest);
      }
      run.from = runs.from;
      run.to = runs.to;
      run.startMs = runs.startMs;
      run.stepMs = runs.stepMs;
      this.slots.add(slot, run, powersOfTen[aligning + power] as number);
      if (runs.quality !== measured || plan.notBillableCodes.size > 0) {
        this.#note(runs, slot, plan.notBillableCodes);
      }
    }
  }

  /** Notes what is not simply measured and billed. */
  #note(runs: ReadingRuns, slot: number, notBillableCodes: ReadonlySet<string>): void {
    const { quality } = runs;
    const count = runs.to - runs.from;
    this.slots.note(slot, quality);
    if (quality === estimated) {
      this.slots.countRare(slot, 'estimated', count);
    } else if (quality === substituted) {
      this.slots.countRare(slot, 'substituted', count);
    } else if (quality === calculated) {
      this.slots.countRare(slot, 'calculated', count);
    }
    const notBillable = countNotBillable(runs.columns, runs, notBillableCodes);
    if (notBillable > 0) {
      this.slots.countRare(slot, 'notBillable', notBillable);
    }
  }
}
