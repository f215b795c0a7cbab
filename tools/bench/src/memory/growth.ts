import { machine } from '../machine.ts';

/** What each process kept at most beside so many series. */
export interface MemoryMeasured {
  readonly series: number;
  /** With most of them quiet. */
  readonly ownBytes: ReadonlyMap<string, number>;
  /** While a file with a reading of each came in. */
  readonly loadingBytes: ReadonlyMap<string, number>;
}

export interface ProcessGrowth {
  readonly process: string;
  /** Of the most series beside the next fewer: caches that have a bound are full by then. */
  readonly bytesPerSeries: number;
  readonly isFlat: boolean;
}

/** Heaps of one and the same work differ by as much from run to run. */
const noiseBytes = 48 * 1024 ** 2;
/** Less than this a series is none: 10 million are then 160 MB. */
const bytesPerSeriesMax = 16;

/** By process; it grows where it has more than the noise beside the most series, and more than a few bytes for each more. */
export function growthOf(measured: readonly MemoryMeasured[]): readonly ProcessGrowth[] {
  const [before, last] = [measured.at(-2) ?? measured[0], measured.at(-1)];
  if (before === undefined || last === undefined) {
    return [];
  }
  return [...last.ownBytes].map(([process, bytes]) => {
    const more = bytes - (before.ownBytes.get(process) ?? 0);
    const bytesPerSeries = Math.max(0, more) / Math.max(1, last.series - before.series);
    return {
      process,
      bytesPerSeries: Math.round(bytesPerSeries * 10) / 10,
      isFlat: more <= noiseBytes || bytesPerSeries <= bytesPerSeriesMax,
    };
  });
}

export function memoryReport(measured: readonly MemoryMeasured[], growth: readonly ProcessGrowth[]): string {
  const cell = (bytes: number | undefined): string => String(Math.round((bytes ?? 0) / 1e6)).padStart(16);
  return [
    'memory of its own that each process had at most, in MB; in brackets while the readings of all new series came in',
    JSON.stringify(machine),
    '',
    `${'process'.padEnd(16)}${measured.map(({ series }) => `${series} series`.padStart(24)).join('')}${'bytes a series'.padStart(18)}`,
    ...growth.map(({ process, bytesPerSeries, isFlat }) =>
      [
        process.padEnd(16),
        ...measured.map(({ ownBytes, loadingBytes }) =>
          `${cell(ownBytes.get(process)).trim()} (${cell(loadingBytes.get(process)).trim()})`.padStart(24),
        ),
        `${isFlat ? 'flat' : bytesPerSeries}`.padStart(18),
      ].join(''),
    ),
  ].join('\n');
}
