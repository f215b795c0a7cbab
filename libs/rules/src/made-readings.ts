import type { SeriesName } from '@meterflow/readings';

/** Readings of one length that begin one step after the other. */
export type ReadingRun = readonly [startMs: number, stepMs: number, lengthMs: number, count: number];

/** Readings that are none that anybody sent: what rules filled or emitted, and what of it was withdrawn. Channels of one meter. */
export type MadeReadings = readonly { readonly channel: string; readonly runs: readonly ReadingRun[] }[];

/** What one run of a series' days came to: nothing else was ever made of [fromMs, toMs) at its activation and ticket. */
export interface MadeSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly activation: number;
  readonly ticket: number;
  readonly made: MadeReadings;
}

/** A reading by what names it within its meter. */
export interface MadeReading {
  readonly channel: string;
  readonly startMs: number;
  readonly lengthMs: number;
}

export const nothingMade: MadeReadings = [];

/** Collects made readings, each once. */
export class MadeReadingsBuilder {
  readonly #readings = new Map<string, MadeReading>();

  add({ channel }: Pick<SeriesName, 'channel'>, startMs: number, lengthMs: number): void {
    this.#readings.set(`${channel}\n${startMs}\n${lengthMs}`, { channel, startMs, lengthMs });
  }

  has({ channel, startMs, lengthMs }: MadeReading): boolean {
    return this.#readings.has(`${channel}\n${startMs}\n${lengthMs}`);
  }

  finish(): MadeReadings {
    const channels = new Map<string, MadeReading[]>();
    for (const reading of this.#readings.values()) {
      const known = channels.get(reading.channel);
      if (known === undefined) {
        channels.set(reading.channel, [reading]);
      } else {
        known.push(reading);
      }
    }
    return [...channels]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([channel, readings]) => ({ channel, runs: runsOf(readings) }));
  }
}

/** Those that begin within [fromMs, toMs). */
export function* madeWithin(made: MadeReadings, fromMs: number, toMs: number): Generator<MadeReading> {
  for (const { channel, runs } of made) {
    for (const [startMs, stepMs, lengthMs, count] of runs) {
      const first = stepMs > 0 ? Math.max(0, Math.ceil((fromMs - startMs) / stepMs)) : 0;
      for (let index = first; index < count && startMs + index * stepMs < toMs; index++) {
        if (startMs + index * stepMs >= fromMs) {
          yield { channel, startMs: startMs + index * stepMs, lengthMs };
        }
      }
    }
  }
}

/** The higher activation counts, then the higher ticket: as versions do. */
export function compareStamps(
  a: Pick<MadeSpan, 'activation' | 'ticket'>,
  b: Pick<MadeSpan, 'activation' | 'ticket'>,
): number {
  return a.activation - b.activation || a.ticket - b.ticket;
}

function runsOf(readings: readonly MadeReading[]): ReadingRun[] {
  const sorted = readings.toSorted((a, b) => a.lengthMs - b.lengthMs || a.startMs - b.startMs);
  const runs: [startMs: number, stepMs: number, lengthMs: number, count: number][] = [];
  for (const { startMs, lengthMs } of sorted) {
    const run = runs.at(-1);
    const [firstMs = 0, stepMs = 0, runLengthMs, count = 0] = run ?? [];
    if (run !== undefined && runLengthMs === lengthMs && (count === 1 || startMs === firstMs + count * stepMs)) {
      run[1] = count === 1 ? startMs - firstMs : stepMs;
      run[3] = count + 1;
    } else {
      runs.push([startMs, 0, lengthMs, 1]);
    }
  }
  return runs;
}
