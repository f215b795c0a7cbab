import { groupMeterPrefix, isIdentifier, registerChannelMark, type SeriesName } from '@meterflow/readings';
import { seriesRememberedMax } from './limits.ts';
import type { LengthPeriod } from './registered-length.ts';
import type { SeriesCoverage } from './series-coverage.ts';
import { TextTable } from './text-table.ts';

/** What a reader remembers of a series. */
export interface SeriesEntry {
  readonly name: SeriesName;
  /** The registered interval length; NaN until asked for, -1 where none is registered. */
  lengthMs: number;
  /** The registered lengths over time of a series whose length changes, which most never do. */
  lengths: readonly LengthPeriod[] | undefined;
  /** Its index in the batch whose number is `batch`. */
  index: number;
  batch: number;
  /** Where its rows are within an hour that the clocks repeat: see {@link LocalClock}. */
  foldLocalMs: number;
  foldDescends: boolean;
  foldPass: 0 | 1 | 2;
  /** Whether it is refused for not being registered; undefined until asked for. */
  isUnknown: boolean | undefined;
  /** What the source has brought of it; undefined until its first reading. */
  coverage: SeriesCoverage | undefined;
}

/** What a reader remembers of a meter. Most have one channel, so that the others stand apart. */
export interface MeterEntry {
  readonly name: string;
  /** The series that was asked for last. */
  lastSeries: SeriesEntry | undefined;
  others: Map<string, SeriesEntry> | undefined;
}

/** Meters, channels and series by name, so that a line costs no new text and no new object. */
export class SeriesTable {
  readonly meters: TextTable<MeterEntry>;
  readonly channels: TextTable<string>;
  /** Changes when everything was forgotten: whoever holds entries lets go of them. */
  generation = 0;
  #series = 0;

  constructor() {
    this.meters = new TextTable((text) =>
      isName(text) && !text.startsWith(groupMeterPrefix) ? newMeter(text) : undefined,
    );
    this.channels = new TextTable((text) => (isName(text) && !text.includes(registerChannelMark) ? text : undefined));
  }

  seriesOf(meter: MeterEntry, channel: string): SeriesEntry {
    const last = meter.lastSeries;
    if (last?.name.channel === channel) {
      return last;
    }
    let series = meter.others?.get(channel);
    if (series === undefined) {
      series = newSeries(meter.name, channel);
      this.#series += 1;
    }
    if (last !== undefined) {
      meter.others ??= new Map();
      meter.others.set(last.name.channel, last);
    }
    meter.lastSeries = series;
    return series;
  }

  /**
   * Forgets everything but one series once it has become too much. To be called between batches only, after the same
   * row however a source is cut; the series in work is kept, since it goes on in the next batch.
   */
  forgetSurplus(inWork: SeriesEntry): void {
    if (this.#series <= seriesRememberedMax && this.meters.size <= seriesRememberedMax) {
      return;
    }
    this.meters.clear();
    this.channels.clear();
    this.#series = 0;
    this.generation += 1;
    const meter = this.meters.findText(inWork.name.meter);
    if (meter !== undefined) {
      meter.lastSeries = inWork;
    }
  }
}

/** The same as {@link isIdentifier}, sooner told for what is plain ASCII. */
function isName(text: string): boolean {
  return /^[!-~](?:[ -~]{0,62}[!-~])?$/.test(text) || isIdentifier(text);
}

export function newSeries(meter: string, channel: string): SeriesEntry {
  return {
    name: { meter, channel },
    lengthMs: NaN,
    lengths: undefined,
    index: 0,
    batch: -1,
    foldLocalMs: 0,
    foldDescends: false,
    foldPass: 0,
    isUnknown: undefined,
    coverage: undefined,
  };
}

function newMeter(name: string): MeterEntry {
  return { name, lastSeries: undefined, others: undefined };
}
