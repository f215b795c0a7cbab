import { canonicalAggregate, SheetCursor } from '@meterflow/aggregates';
import { decodeReadingBatch } from '@meterflow/contracts';
import { canonicalReading, layers, missingCode, noLongerEmitted, ReadingCursor } from '@meterflow/readings';
import type { CrashPorts, CrashWorld, DeadLetterFacts } from './world.ts';
import type { Workload } from './workload.ts';

/** What a source has come to, as its sender is told. */
export interface SourceState {
  readonly received: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly batches: number;
  readonly batchesDead: number;
  readonly batchesParked: number;
  readonly state: string;
  /** Readings that have an outcome: as many as were accepted, unless some batch is dead. */
  readonly outcomes: number;
}

/** All that must not depend on who died when. */
export interface EndState {
  /** The canonical export's lines, by what they speak of. */
  readonly lines: ReadonlyMap<string, string>;
  /** `stage source/first line reason`, sorted: keys name acceptance times, which differ from run to run. */
  readonly deadLetters: readonly string[];
  readonly sources: ReadonlyMap<string, SourceState>;
  /** Subscriptions with messages that nobody settled. */
  readonly backlog: readonly string[];
}

const span = { fromMs: 0, toMs: Date.UTC(2100, 0, 1) };
const receiptsMax = 1_000;

/** Reads it through the ports, whatever is behind them. */
export async function endStateOf(world: CrashWorld, ports: CrashPorts, workload: Workload): Promise<EndState> {
  const lines = new Map<string, string>();
  for (const series of workload.series) {
    await addReadings(lines, ports, series);
    await addAggregates(lines, ports, series);
  }
  const labels = new Map<string, string>();
  const sources = new Map<string, SourceState>();
  for (const tenant of new Set(workload.series.map((series) => series.tenant))) {
    for (const receipt of await ports.sources.list(tenant, { limit: receiptsMax })) {
      const { sourceId, label, inserted, superseded, shadowed, duplicates, conflicts } = receipt;
      const { received, accepted, rejected, batches, batchesDead, batchesParked, state } = receipt;
      const name = `${label}.${sourceId.split('.')[1] ?? ''}`;
      labels.set(sourceId, name);
      const outcomes = inserted + superseded + shadowed + duplicates + conflicts;
      sources.set(name, { received, accepted, rejected, batches, batchesDead, batchesParked, state, outcomes });
    }
  }
  const deadLetters = (await world.deadLetters()).map((letter) => shownLetter(letter, labels)).sort();
  return { lines, deadLetters, sources, backlog: await world.backlog() };
}

type Series = Workload['series'][number];

async function addReadings(lines: Map<string, string>, ports: CrashPorts, series: Series): Promise<void> {
  const { tenant, meter, channel } = series;
  for (const layer of layers) {
    for (const { columns } of await ports.readings(layer).read({ tenant, meter, channel, layer, ...span })) {
      for (const cursor = new ReadingCursor(columns); cursor.next();) {
        // As in the canonical export: once made and withdrawn, or never made, is one.
        if (cursor.qualityCode !== missingCode || cursor.reason !== noLongerEmitted) {
          const row = canonicalReading(tenant, { meter, channel, layer }, cursor);
          lines.set(`${nameOf(series)} ${layer} ${row.start}`, JSON.stringify(row));
        }
      }
    }
  }
}

/** By meter, and the channel where it is not the usual one. */
function nameOf({ tenant, meter, channel }: Series): string {
  return `${tenant} ${meter}${channel === 'import' ? '' : `/${channel}`}`;
}

async function addAggregates(lines: Map<string, string>, ports: CrashPorts, series: Series): Promise<void> {
  const { tenant, meter, channel } = series;
  for (const level of ['day', 'month'] as const) {
    const batch = await ports.aggregates.read({ tenant, meter, channel, level, ...span });
    for (const cursor = new SheetCursor(batch); cursor.next();) {
      for (let index = cursor.rowsFrom; index < cursor.rowsTo; index++) {
        const row = canonicalAggregate(cursor, index);
        lines.set(`${nameOf(series)} ${row.resolution} ${row.start}`, JSON.stringify(row));
      }
    }
  }
}

function shownLetter(
  { stage, state, reasonCode, payload }: DeadLetterFacts,
  labels: ReadonlyMap<string, string>,
): string {
  return `${stage} ${state} ${reasonCode} ${shownPayload(payload, labels)}`;
}

function shownPayload(payload: Uint8Array, labels: ReadonlyMap<string, string>): string {
  try {
    const { sourceId, layer, firstLine, columns } = decodeReadingBatch(payload);
    return `${labels.get(sourceId) ?? sourceId} ${layer} line ${firstLine}, ${columns.values.length} readings`;
  } catch {
    return Buffer.from(payload).toString('hex');
  }
}
