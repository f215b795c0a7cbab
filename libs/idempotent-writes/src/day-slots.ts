import { integerMax, missingCode, powersOfTen } from '@meterflow/readings';
import type { Attributes } from './attributes.ts';
import type { DayPieces } from './day-pieces.ts';
import { UniformSteps, type IncomingColumns } from './incoming-columns.ts';
import { isKept, judge, outcomeMask, replaces, whoseIsKept, type Statement } from './judge.ts';
import { noLabel } from './label-table.ts';
import { duplicateIndex, insertedIndex, type OutcomeTally } from './outcome-tally.ts';
import type { ReadingList } from './reading-list.ts';
import type { SegmentDraft } from './segment-draft.ts';
import { dayMs } from './segment-format.ts';

/** A day has at most this many slots: one a second. Finer grids take the general path. */
const slotsMax = 86_400;

/** Where a merge tells what it did. */
export interface MergeReport {
  readonly tally: OutcomeTally;
  /** Gets what was replaced, for the history. */
  readonly replaced: ReadingList;
}

/**
 * A series-day whose readings all have one length and lie on one grid: a slot for each place of the grid, so that
 * finding the reading of an identity is an index. Nearly every day of a real meter is one.
 */
export class DaySlots {
  readonly #attributes: Attributes;
  readonly #steps = new UniformSteps();
  #values = new Float64Array(1_440);
  /** `noLabel` where the slot is empty. All slots are, between days. */
  #labels = new Uint32Array(1_440);
  #versions = new Uint32Array(1_440);
  #originMs = 0;
  #lengthMs = 0;
  #decimals = 0;
  #slotMin = 0;
  #slotMax = -1;
  #changed = false;
  readonly #standing: Statement = { value: 0, decimals: 0, label: 0, version: 0 };
  readonly #incoming: Statement = { value: 0, decimals: 0, label: 0, version: 0 };

  constructor(attributes: Attributes) {
    this.#attributes = attributes;
  }

  get changed(): boolean {
    return this.#changed;
  }

  /** Lays a grid through a first reading; false where it would have no or too many slots. */
  begin(dayStartMs: number, startMs: number, lengthMs: number): boolean {
    const slots = Math.ceil(dayMs / lengthMs);
    if (!(slots <= slotsMax)) {
      return false;
    }
    if (slots > this.#labels.length) {
      this.#values = new Float64Array(slots);
      this.#labels = new Uint32Array(slots);
      this.#versions = new Uint32Array(slots);
    }
    this.#originMs = dayStartMs + ((startMs - dayStartMs) % lengthMs);
    this.#lengthMs = lengthMs;
    this.#decimals = 0;
    this.#slotMin = slots;
    this.#slotMax = -1;
    this.#changed = false;
    return true;
  }

  /** True where a span's readings lie on the grid. */
  holds(startMs: number, stepMs: number, lengthMs: number): boolean {
    return (
      lengthMs === this.#lengthMs &&
      (startMs - this.#originMs) % lengthMs === 0 &&
      stepMs % lengthMs === 0 &&
      stepMs > 0
    );
  }

  /** Raises the decimals that all values will share. Before the first value is put. */
  share(decimals: number): void {
    this.#decimals = Math.max(this.#decimals, decimals);
  }

  /** True where the values [from, to) stay exact with the shared decimals. */
  scales(values: Float64Array, decimals: number, range: { readonly from: number; readonly to: number }): boolean {
    if (decimals === this.#decimals) {
      return true;
    }
    const max = integerMax / (powersOfTen[this.#decimals - decimals] as number);
    for (let index = range.from; index < range.to; index++) {
      if (Math.abs(values[index] as number) > max) {
        return false;
      }
    }
    return true;
  }

  /** True where no reading of the draft, which lies on the grid, meets one that is there. */
  isFree(draft: SegmentDraft): boolean {
    for (let span = 0; span < draft.spanCount; span++) {
      const stride = (draft.spanStepMs[span] as number) / this.#lengthMs;
      let slot = ((draft.spanStartMs[span] as number) - this.#originMs) / this.#lengthMs;
      for (let left = draft.spanReadings[span] as number; left > 0; left--, slot += stride) {
        if (this.#labels[slot] !== noLabel) {
          return false;
        }
      }
    }
    return true;
  }

  /** Fills the slots with what is stored. */
  load(draft: SegmentDraft): void {
    const scale = powersOfTen[this.#decimals - draft.decimals] as number;
    let index = 0;
    let labelRun = 0;
    let versionRun = 0;
    for (let span = 0; span < draft.spanCount; span++) {
      const stride = (draft.spanStepMs[span] as number) / this.#lengthMs;
      const readings = draft.spanReadings[span] as number;
      let slot = ((draft.spanStartMs[span] as number) - this.#originMs) / this.#lengthMs;
      this.#widen(slot, slot + (readings - 1) * stride);
      for (let left = readings; left > 0; left--) {
        while ((draft.labels.ends[labelRun] as number) <= index) {
          labelRun += 1;
        }
        while ((draft.versions.ends[versionRun] as number) <= index) {
          versionRun += 1;
        }
        this.#values[slot] = (draft.values[draft.first + index] as number) * scale;
        this.#labels[slot] = draft.labels.values[labelRun] as number;
        this.#versions[slot] = draft.versions.values[versionRun] as number;
        index += 1;
        slot += stride;
      }
    }
  }

  /** Merges one piece of a batch into the slots. */
  merge(
    columns: IncomingColumns,
    piece: { readonly pieces: DayPieces; readonly index: number },
    report: MergeReport,
  ): void {
    const { pieces, index } = piece;
    const count = pieces.count[index] as number;
    const first = pieces.first[index] as number;
    const stride = count === 1 ? 1 : (pieces.stepMs[index] as number) / this.#lengthMs;
    const slot = ((pieces.startMs[index] as number) - this.#originMs) / this.#lengthMs;
    this.#widen(slot, slot + (count - 1) * stride);
    const steps = this.#steps;
    steps.seek(columns, first, first + count);
    while (steps.next()) {
      this.#mergeStep(
        columns,
        { slot: slot + (steps.from - first) * stride, stride, batch: pieces.batch[index] as number },
        report,
      );
    }
  }

  #mergeStep(columns: IncomingColumns, at: { slot: number; stride: number; batch: number }, report: MergeReport): void {
    const { from, to, label, version } = this.#steps;
    const { values } = columns;
    const absent = this.#attributes.labels.quality(label) === missingCode;
    const scale = absent ? 0 : (powersOfTen[this.#decimals - columns.decimals] as number);
    const slotValues = this.#values;
    const slotLabels = this.#labels;
    const slotVersions = this.#versions;
    const { stride, batch } = at;
    let { slot } = at;
    let fresh = 0;
    let repeated = 0;
    for (let index = from; index < to; index++, slot += stride) {
      const value = (values[index] as number) * scale;
      const standing = slotLabels[slot];
      if (standing === noLabel) {
        slotValues[slot] = value;
        slotLabels[slot] = label;
        slotVersions[slot] = version;
        fresh += 1;
      } else if (standing === label && slotVersions[slot] === version && slotValues[slot] === value) {
        repeated += 1;
      } else {
        this.#incoming.value = value;
        this.#settle(slot, batch, report);
      }
    }
    if (fresh > 0) {
      this.#changed = true;
      report.tally.add(batch, insertedIndex, fresh);
    }
    report.tally.add(batch, duplicateIndex, repeated);
  }

  /** Decides between the slot's reading and the step's. */
  #settle(slot: number, batch: number, { tally, replaced }: MergeReport): void {
    const standing = this.#standing;
    const incoming = this.#incoming;
    standing.value = this.#values[slot] as number;
    standing.label = this.#labels[slot] as number;
    standing.version = this.#versions[slot] as number;
    standing.decimals = this.#decimals;
    incoming.label = this.#steps.label;
    incoming.version = this.#steps.version;
    incoming.decimals = this.#decimals;
    const verdict = judge(this.#attributes, standing, incoming);
    const outcome = verdict & outcomeMask;
    tally.add(batch, outcome, 1);
    if (isKept(verdict)) {
      const earlier = (verdict & replaces) === 0 ? incoming : standing;
      const row = replaced.push(this.#originMs + slot * this.#lengthMs, this.#lengthMs, earlier);
      replaced.batch[row] = whoseIsKept(verdict, batch);
    }
    if ((verdict & replaces) === 0) {
      return;
    }
    this.#values[slot] = incoming.value;
    this.#labels[slot] = incoming.label;
    this.#versions[slot] = incoming.version;
    this.#changed = true;
  }

  /** Empties the slots into a draft. */
  draw(draft: SegmentDraft): void {
    draft.reset();
    draft.decimals = this.#decimals;
    draft.reserve(this.#slotMax + 1 - this.#slotMin);
    const { values } = draft;
    const slotValues = this.#values;
    const slotLabels = this.#labels;
    const slotVersions = this.#versions;
    const slotMax = this.#slotMax;
    let count = 0;
    let spanFrom = -1;
    let label = noLabel;
    let version = 0;
    for (let slot = this.#slotMin; slot <= slotMax; slot++) {
      const slotLabel = slotLabels[slot] as number;
      if (slotLabel === noLabel) {
        spanFrom = closeSpan(draft, spanFrom, count);
        continue;
      }
      if (spanFrom < 0) {
        spanFrom = count;
        draft.openSpan(this.#originMs + slot * this.#lengthMs, this.#lengthMs, this.#lengthMs);
      }
      const slotVersion = slotVersions[slot] as number;
      if (slotLabel !== label || slotVersion !== version) {
        closeRuns(draft, { label, version }, count);
        label = slotLabel;
        version = slotVersion;
      }
      values[count++] = slotValues[slot] as number;
    }
    closeSpan(draft, spanFrom, count);
    closeRuns(draft, { label, version }, count);
    draft.count = count;
    this.clear();
  }

  clear(): void {
    this.#labels.fill(noLabel, this.#slotMin, this.#slotMax + 1);
  }

  #widen(min: number, max: number): void {
    this.#slotMin = Math.min(this.#slotMin, min);
    this.#slotMax = Math.max(this.#slotMax, max);
  }
}

function closeSpan(draft: SegmentDraft, spanFrom: number, count: number): number {
  if (spanFrom >= 0) {
    draft.spanReadings[draft.spanCount - 1] = count - spanFrom;
  }
  return -1;
}

function closeRuns(draft: SegmentDraft, run: { label: number; version: number }, count: number): void {
  if (count > 0) {
    draft.labels.extend(run.label, count);
    draft.versions.extend(run.version, count);
  }
}
