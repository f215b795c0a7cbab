import {
  constantRuns,
  missingCode,
  ReadingCursor,
  RunsCursor,
  SpansBuilder,
  versionAt,
  versionsOf,
  type ReadingBatch,
  type ReadingColumns,
  type SeriesName,
  type Version,
} from '@meterflow/readings';
import type { DayGrid } from './day-grid.ts';
import type { TextList } from './raw-window.ts';
import { RowColumns, runColumnsOf, sharedValues, type RowPart } from './row-columns.ts';

/** Version of a reading that has no raw one. */
export const noRawVersion: Version = { declared: 0, acceptedAtMs: 0, activation: 0, ticket: 0, computed: true };

/** Where series flows say that their readings come from. */
export const seriesFlowSource = 'series-flows';

/** How many readings a day has in its batch, and in how many spans. */
export interface DayCounts {
  readonly slots: number;
  readonly registers: number;
  readonly spans: number;
}

/** Some days as one batch: day by day the slots in order, a gap as a reading of quality missing, then the register readings. */
export interface DaysBatch {
  readonly batch: ReadingBatch;
  readonly counts: readonly DayCounts[];
}

/** The raw readings of a series, with all that they carry, by the slots of local days; and what lies beside these. */
export class OwnReadings {
  readonly #grid: DayGrid;
  readonly #texts: TextList;
  readonly #header: Pick<ReadingBatch, 'tenant' | 'activation'> & { readonly series: SeriesName };
  readonly #slots: RowColumns;
  readonly #registers = new RowColumns(16);
  /** Of another length, or off the grid: no rule sees them. */
  readonly #others = new RowColumns(0);
  readonly #versions: Version[] = [noRawVersion];
  readonly #registersFrom: Uint32Array;
  readonly #othersFrom: Uint32Array;

  /** `segments` in the order of their starts; `texts` come to hold all of theirs. */
  constructor(
    segments: readonly ReadingColumns[],
    grid: DayGrid,
    rest: {
      readonly texts: TextList;
      readonly tenant: string;
      readonly activation: number;
      readonly series: SeriesName;
    },
  ) {
    const { texts, ...header } = rest;
    const days = grid.slotsFrom.length;
    this.#grid = grid;
    this.#texts = texts;
    this.#header = header;
    this.#slots = gaps(grid);
    this.#registersFrom = new Uint32Array(days);
    this.#othersFrom = new Uint32Array(days);
    segments.forEach((segment) => {
      this.#take(segment);
    });
    addUp(this.#registersFrom);
    addUp(this.#othersFrom);
  }

  /** Readings of the day's batch. */
  count(day: number): number {
    const { slotsFrom } = this.#grid;
    const registers = (this.#registersFrom[day + 1] as number) - (this.#registersFrom[day] as number);
    return (slotsFrom[day + 1] as number) - (slotsFrom[day] as number) + registers;
  }

  /** Nothing but gaps that nobody sent, in its slots and its registers. */
  isEmpty(day: number): boolean {
    const { slotsFrom } = this.#grid;
    const { version } = this.#slots;
    const to = slotsFrom[day + 1] as number;
    let slot = slotsFrom[day] as number;
    while (slot < to && version[slot] === 0) {
      slot += 1;
    }
    return slot === to && this.#registersFrom[day] === this.#registersFrom[day + 1];
  }

  /** Undefined where one count of decimals does not hold all the days' values, which are then to be had one by one. */
  batchOf(days: readonly number[]): DaysBatch | undefined {
    const spans = new SpansBuilder();
    const counts = days.map((day) => this.#spansOf(spans, day));
    const parts = this.#partsOf(days);
    const count = counts.reduce((sum, { slots, registers }) => sum + slots + registers, 0);
    const shared = sharedValues(parts, count);
    return shared.isExact || days.length === 1 ? { counts, batch: this.#finish(parts, spans, shared) } : undefined;
  }

  /** Readings of the day that are neither slots nor registers. They pass as they came. */
  besideOf(day: number): ReadingBatch {
    const [from, to] = [this.#othersFrom[day] as number, this.#othersFrom[day + 1] as number];
    const spans = new SpansBuilder();
    for (let row = from; row < to; row++) {
      spans.push(0, this.#others.startMs[row] as number, this.#others.lengthMs[row] as number);
    }
    const parts = [{ rows: this.#others, from, to }];
    return this.#finish(parts, spans, sharedValues(parts, to - from));
  }

  #take(segment: ReadingColumns): void {
    const cursor = new ReadingCursor(segment);
    const places = new SegmentPlaces(segment, this.#texts, this.#versions);
    const grid = this.#grid;
    while (cursor.next()) {
      if (!grid.find(cursor.startMs, cursor.lengthMs)) {
        continue;
      }
      const { day, slot } = grid;
      places.at(cursor.index);
      if (slot >= 0) {
        this.#slots.write(slot, cursor, places);
      } else if (cursor.lengthMs === 0) {
        this.#registers.write(this.#registers.count, cursor, places);
        this.#registersFrom[day + 1] = (this.#registersFrom[day + 1] as number) + 1;
      } else {
        this.#others.write(this.#others.count, cursor, places);
        this.#othersFrom[day + 1] = (this.#othersFrom[day + 1] as number) + 1;
      }
    }
  }

  #spansOf(spans: SpansBuilder, day: number): DayCounts {
    const { slotsFrom, intervalMs, days } = this.#grid;
    const slots = (slotsFrom[day + 1] as number) - (slotsFrom[day] as number);
    const spansBefore = spans.length;
    if (slots > 0) {
      const startMs = days.startMs[day] as number;
      spans.append(0, { startMs, stepMs: intervalMs, lengthMs: intervalMs, count: slots });
    }
    const [first, end] = [this.#registersFrom[day] as number, this.#registersFrom[day + 1] as number];
    for (let register = first; register < end; register++) {
      const startMs = this.#registers.startMs[register] as number;
      // A day's spans are its own: what walks over days one by one needs no part of one.
      if (register === first) {
        spans.append(0, { startMs, stepMs: 0, lengthMs: 0, count: 1 });
      } else {
        spans.push(0, startMs, 0);
      }
    }
    return { slots, registers: end - first, spans: spans.length - spansBefore };
  }

  /** Slots of successive days lie together: as many as have no register readings in between are one part. */
  #partsOf(days: readonly number[]): RowPart[] {
    const { slotsFrom } = this.#grid;
    const parts: RowPart[] = [];
    let [from, to] = [0, 0];
    const part = (rows: RowColumns, first: number, end: number): void => {
      if (end > first) {
        parts.push({ rows, from: first, to: end });
      }
    };
    for (const day of days) {
      if (slotsFrom[day] !== to) {
        part(this.#slots, from, to);
        from = slotsFrom[day] as number;
      }
      to = slotsFrom[day + 1] as number;
      const [first, end] = [this.#registersFrom[day] as number, this.#registersFrom[day + 1] as number];
      if (end > first) {
        part(this.#slots, from, to);
        part(this.#registers, first, end);
        from = to;
      }
    }
    part(this.#slots, from, to);
    return parts;
  }

  #finish(
    parts: readonly RowPart[],
    spans: SpansBuilder,
    { values, decimals }: Pick<ReadingColumns, 'values' | 'decimals'>,
  ): ReadingBatch {
    const count = values.length;
    const { series, tenant, activation } = this.#header;
    const versions: Version[] = [];
    const renamed = new Map<number, number>();
    const runs = runColumnsOf(parts, (known) => {
      let name = renamed.get(known);
      if (name === undefined) {
        name = versions.push(this.#versions[known] as Version) - 1;
        renamed.set(known, name);
      }
      return name;
    });
    return {
      ...{ tenant, activation, layer: 'raw', sourceId: seriesFlowSource, acceptedAtMs: 0 },
      series: [series],
      firstLine: 0,
      lineDeltas: constantRuns(0, count),
      columns: {
        spans: spans.finish(),
        ...{ values, decimals },
        ...runs,
        versions: versionsOf(versions),
        texts: this.#texts.texts,
      },
    };
  }
}

/** The places of a reading's texts and version, of one segment after the other. */
class SegmentPlaces {
  unit = 0;
  code = 0;
  method = 0;
  reason = 0;
  version = 0;
  readonly #texts: Uint16Array;
  readonly #versionsFrom: number;
  readonly #unit: RunsCursor;
  readonly #code: RunsCursor;
  readonly #method: RunsCursor;
  readonly #reason: RunsCursor;
  readonly #version: RunsCursor;

  constructor(segment: ReadingColumns, texts: TextList, versions: Version[]) {
    this.#texts = Uint16Array.from(segment.texts, (text) => texts.indexOf(text));
    this.#versionsFrom = versions.length;
    segment.versions.declared.forEach((_, index) => versions.push(versionAt(segment.versions, index)));
    this.#unit = new RunsCursor(segment.unit);
    this.#code = new RunsCursor(segment.code);
    this.#method = new RunsCursor(segment.method);
    this.#reason = new RunsCursor(segment.reason);
    this.#version = new RunsCursor(segment.version);
  }

  at(index: number): void {
    const texts = this.#texts;
    this.unit = texts[this.#unit.at(index)] as number;
    this.code = texts[this.#code.at(index)] as number;
    this.method = texts[this.#method.at(index)] as number;
    this.reason = texts[this.#reason.at(index)] as number;
    this.version = this.#versionsFrom + this.#version.at(index);
  }
}

/** All slots of the days, none with a value. */
function gaps({ slotsFrom, days, intervalMs }: DayGrid): RowColumns {
  const slots = new RowColumns(slotsFrom.at(-1) as number);
  slots.quality.fill(missingCode);
  for (let day = 0; day + 1 < slotsFrom.length; day++) {
    const from = slotsFrom[day] as number;
    for (let slot = from; slot < (slotsFrom[day + 1] as number); slot++) {
      slots.startMs[slot] = (days.startMs[day] as number) + (slot - from) * intervalMs;
    }
  }
  slots.lengthMs.fill(intervalMs);
  return slots;
}

/** Counts of each day become where the days begin. */
function addUp(counts: Uint32Array): void {
  for (let day = 1; day < counts.length; day++) {
    counts[day] = (counts[day] as number) + (counts[day - 1] as number);
  }
}
