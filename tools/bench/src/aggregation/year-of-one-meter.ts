import { writeFileSync } from 'node:fs';
import type { EmbeddedPlatform } from '@meterflow/embedded';
import type { OutcomeCounts } from '@meterflow/idempotent-writes';
import type { DevServer } from '../dev-server.ts';
import { completed, importInto } from '../requests.ts';

export interface Backfill {
  readonly readings: number;
  /** From the import's request until the receipt is complete. */
  readonly seconds: number;
  /** How many windows there are, and how many were computed for them: as many where each was computed once. */
  readonly days: number;
  readonly daysComputed: number;
  readonly months: number;
  readonly monthsComputed: number;
}

const quarterMs = 900_000;
const [fromMs, toMs] = [Date.UTC(2015, 0), Date.UTC(2016, 0)];

/** A year of quarter-hours of one meter, which nothing was known of before, as a file. */
export async function yearOfOneMeter(
  { server, platform }: { readonly server: DevServer; readonly platform: EmbeddedPlatform },
  file: string,
): Promise<Backfill> {
  const lines = ['meter_id,channel,start,value,unit'];
  for (let startMs = fromMs; startMs < toMs; startMs += quarterMs) {
    lines.push(`year-of-one,import,${new Date(startMs).toISOString()},${((startMs / quarterMs) % 97) / 100},kWh`);
  }
  writeFileSync(file, `${lines.join('\n')}\n`);
  const startedMs = performance.now();
  const sourceId = await importInto(server, file);
  await completed(server, sourceId);
  const seconds = Math.round(performance.now() - startedMs) / 1000;
  const ledger = new Map((await platform.ledger.summary(sourceId)).map(({ layer, counts }) => [layer, counts]));
  const [days, months] = [ledger.get('day') as OutcomeCounts, ledger.get('month') as OutcomeCounts];
  return {
    readings: lines.length - 1,
    seconds,
    ...{ days: days.inserted, daysComputed: computed(days) },
    ...{ months: months.inserted, monthsComputed: computed(months) },
  };
}

function computed({ inserted, superseded, duplicate, shadowed }: OutcomeCounts): number {
  return inserted + superseded + duplicate + shadowed;
}
