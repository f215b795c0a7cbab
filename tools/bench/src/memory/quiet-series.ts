import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { utcText } from '@meterflow/readings';
import { putsTogetherMax, seriesPath, type Registry } from '@meterflow/registry';

export const tenant = 'default';
export const channel = 'import';
const halfHourMs = 1_800_000;
const areas = 200;

/** Series of a range of numbers. */
export interface SeriesRange {
  readonly from: number;
  readonly to: number;
}

export const meterOf = (number: number): string => `7${String(number).padStart(17, '0')}`;

/** Registers the series as an import of the registry would leave them, while no service runs. */
export async function registerQuiet(
  registry: Registry,
  { from, to }: SeriesRange,
  { saysLength, sinceMs }: { readonly saysLength: boolean; readonly sinceMs: number },
): Promise<void> {
  for (let first = from; first < to; first += putsTogetherMax) {
    const numbers = Array.from({ length: Math.min(putsTogetherMax, to - first) }, (_, index) => first + index);
    const changes = numbers.map((number) => ({
      name: `${tenant}/${seriesPath(meterOf(number), channel)}`,
      value: {
        sinceMs,
        tags: { area: number % areas },
        ...(saysLength ? { intervalMs: halfHourMs } : {}),
      },
      expectedRevision: 0,
    }));
    await registry.putAll('series', changes);
  }
}

/** A file with one reading of each: all that ever comes of most of them. */
export async function writeReadings(file: string, { from, to }: SeriesRange, startMs: number): Promise<void> {
  const target = createWriteStream(file);
  const [start, end] = [utcText(startMs), utcText(startMs + halfHourMs)];
  target.write('meter_id,channel,start,end,value,unit\n');
  for (let number = from; number < to; number++) {
    if (!target.write(`${meterOf(number)},${channel},${start},${end},0.25,kWh\n`)) {
      await once(target, 'drain');
    }
  }
  target.end();
  await once(target, 'finish');
}

/** What a few series that are not quiet push, without telling how long their intervals are. */
export function livePush(numbers: readonly number[], startMs: number): string {
  const lines = numbers.map((number) => `${meterOf(number)},${channel},${utcText(startMs)},0.5,kWh`);
  return `meter_id,channel,start,value,unit\n${lines.join('\n')}\n`;
}
