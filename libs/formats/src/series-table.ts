import { isIdentifier, type SeriesName } from '@meterflow/readings';
import { seriesRememberedMax } from './limits.ts';
import { TextTable } from './text-table.ts';

/** What a reader remembers of a series. */
export interface SeriesEntry {
  readonly name: SeriesName;
  /** The registered interval length; NaN until asked for, -1 where none is registered. */
  lengthMs: number;
  /** Its index in the batch whose number is `batch`. */
  index: number;
  batch: number;
  /** Where its rows are within an hour that the clocks repeat: see {@link LocalClock}. */
  foldLocalMs: number;
  foldPass: 0 | 1 | 2;
}

/** What a reader remembers of a meter: its series by channel, the last one in front. */
export interface MeterEntry {
  readonly name: string;
  lastChannel: string;
  lastSeries: SeriesEntry;
  readonly series: Map<string, SeriesEntry>;
}

/** Meters, channels and series by name, so that a line costs no new text and no new object. */
export class SeriesTable {
  readonly meters: TextTable<MeterEntry>;
  readonly channels: TextTable<string>;
  /** Changes when everything was forgotten: whoever holds entries lets go of them. */
  generation = 0;
  #series = 0;

  constructor() {
    this.meters = new TextTable((text) => (isIdentifier(text) ? newMeter(text) : undefined));
    this.channels = new TextTable((text) => (isIdentifier(text) ? text : undefined));
  }

  seriesOf(meter: MeterEntry, channel: string): SeriesEntry {
    if (meter.lastChannel === channel) {
      return meter.lastSeries;
    }
    let series = meter.series.get(channel);
    if (series === undefined) {
      series = newSeries(meter.name, channel);
      meter.series.set(channel, series);
      this.#series += 1;
    }
    meter.lastChannel = channel;
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
    this.meters.findText(inWork.name.meter)?.series.set(inWork.name.channel, inWork);
  }
}

export function newSeries(meter: string, channel: string): SeriesEntry {
  return { name: { meter, channel }, lengthMs: NaN, index: 0, batch: -1, foldLocalMs: 0, foldPass: 0 };
}

function newMeter(name: string): MeterEntry {
  return { name, lastChannel: '', lastSeries: newSeries(name, ''), series: new Map() };
}
