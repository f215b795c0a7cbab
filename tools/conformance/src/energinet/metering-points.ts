import { hourMs } from '@meterflow/aggregates';
import {
  BatchBuilder,
  parseDecimal,
  qualities,
  ReadingRow,
  rawVersion,
  type ReadingColumns,
} from '@meterflow/readings';
import { intervalMsAt, SeriesRegistry, type SeriesSettings } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/memory';
import type { CsvRow } from './csv-table.ts';
import { instantMs, type MeteringPointPeriod, type Scenario } from './scenario.ts';

/** A metering point as the product knows it: a series, what is registered of it over time, and its readings. */
export interface MeteringPoint {
  readonly id: string;
  readonly settings: SeriesSettings;
  readonly columns: readonly ReadingColumns[];
}

export const channel = 'energy';
export const unit = 'kWh';
const tenant = 'settlement';

const types = new Map([
  ['E17', 'consumption'],
  ['E18', 'production'],
  ['E20', 'exchange'],
]);
const settlementMethods = new Map([
  ['D01', 'flex'],
  ['E02', 'non_profiled'],
]);
const intervals = new Map([
  ['PT1H', hourMs],
  ['PT15M', hourMs / 4],
]);

/**
 * The metering points that a settlement looks at: those in its grid areas and those that exchange with them; what hangs
 * below others (children) takes no part in energy. Their master data become tags and intervals valid in time.
 */
export async function meteringPoints(scenario: Scenario): Promise<readonly MeteringPoint[]> {
  const registry = new SeriesRegistry({ registry: new MemoryRegistry(), nowMs: () => scenario.fromMs, cacheMs: 0 });
  const periods = scenario.periods.filter((period) => types.has(period.type) && touches(period, scenario));
  for (const period of periods) {
    await registry.state(tenant, { meter: period.id, channel }, factsOf(period, scenario));
  }
  const ids = [...new Set(periods.map(({ id }) => id))];
  const settings = await registry.snapshotOf(
    tenant,
    ids.map((meter) => ({ meter, channel })),
  );
  const points = Map.groupBy(scenario.points, (row) => row['metering_point_id'] ?? '');
  return ids.map((id) => {
    const own = settings.of(id, channel);
    return { id, settings: own, columns: [columnsOf(points.get(id) ?? [], own)] };
  });
}

function touches({ gridArea, fromArea, toArea, fromMs, toMs }: MeteringPointPeriod, scenario: Scenario): boolean {
  const isConcerned = [gridArea, fromArea, toArea].some((area) => scenario.gridAreas.includes(area));
  return isConcerned && fromMs < scenario.toMs && toMs > scenario.fromMs;
}

function factsOf(period: MeteringPointPeriod, { gridLossIds }: Scenario): Parameters<SeriesRegistry['state']>[2] {
  const intervalMs = intervals.get(period.resolution);
  if (intervalMs === undefined) {
    throw new Error(`metering point ${period.id}: the resolution "${period.resolution}" is not known`);
  }
  const tags = {
    type: types.get(period.type) as string,
    settlement_method: settlementMethods.get(period.settlementMethod) ?? '',
    grid_area: period.gridArea,
    from_area: period.fromArea,
    to_area: period.toArea,
    supplier: period.supplier,
    balance_responsible: period.balanceResponsible,
    grid_loss: gridLossIds.has(period.id),
  };
  return { facts: { intervalMs, tags }, validity: { fromMs: period.fromMs, toMs: period.toMs } };
}

/** A point that starts none of the intervals that are registered of its metering point is no reading of it. */
function columnsOf(points: readonly CsvRow[], settings: SeriesSettings): ReadingColumns {
  const builder = new BatchBuilder(Math.max(1, points.length));
  const row = new ReadingRow();
  row.series = builder.series('meter', channel);
  row.version = builder.version(rawVersion(1, 0));
  row.unit = builder.text(unit);
  const ordered = points.map((point) => ({ point, startMs: instantMs(point['observation_time'] ?? '') }));
  for (const { point, startMs } of ordered.sort((a, b) => a.startMs - b.startMs)) {
    const intervalMs = intervalMsAt(settings, startMs) ?? hourMs;
    if (startMs % intervalMs !== 0) {
      continue;
    }
    row.startMs = startMs;
    row.lengthMs = intervalMs;
    const value = parseDecimal(point['quantity'] === '' ? '0' : (point['quantity'] ?? '0'));
    row.integer = value.integer;
    row.decimals = value.decimals;
    row.quality = qualities.findIndex(
      (quality) => quality === (point['quality'] === '' ? 'missing' : point['quality']),
    );
    if (row.quality < 0) {
      throw new Error(`the quality "${point['quality'] ?? ''}" is not known`);
    }
    builder.append(row);
  }
  return builder.finish({ tenant, layer: 'validated', sourceId: 'scenario', acceptedAtMs: 1, activation: 1 }).columns;
}
