import type { ErasureScope } from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import {
  DueRecomputes,
  Groups,
  SeriesRegistry,
  type DueRecompute,
  type Registry,
  type TouchedSeries,
} from '@meterflow/registry';

const dayMs = 86_400_000;

/** A day of UTC that something is stored of. */
export interface StoredDay {
  readonly series: SeriesName;
  readonly day: number;
}

/** What is stored in layer validated, in any order. */
export type StoredDays = (scope: ErasureScope) => Iterable<StoredDay> | AsyncIterable<StoredDay>;

export interface ErasureNote {
  readonly tenant: string;
  /** Of a tenant all aggregates go, those of groups among them. */
  readonly series?: { readonly meter: string; readonly channel?: string };
  /** Letters and digits. */
  readonly id: string;
  readonly upToMs: number;
}

/**
 * Notes, before series are erased, that sums of groups were computed with them: the days of which they hold something are
 * to be computed anew. Undefined where no group can hold anything of them.
 */
export async function noteGroupsOf(
  { registry, storedDays }: { readonly registry: Registry; readonly storedDays: StoredDays },
  { tenant, series, id, upToMs }: ErasureNote,
): Promise<DueRecompute | undefined> {
  const uncached = { registry, nowMs: () => upToMs, cacheMs: -1 };
  const groups = new Groups({ ...uncached, series: new SeriesRegistry(uncached) });
  if (series === undefined || !(await groups.snapshot(tenant)).hasGroups) {
    return undefined;
  }
  const days = await spansOf(storedDays({ tenant, series }));
  if (days.length === 0) {
    return undefined;
  }
  const due = new DueRecomputes({ registry, nowMs: () => upToMs, newId: () => id });
  return due.note({ tenant, scope: { of: 'days', days } });
}

/** From the first to the last day of each series. */
async function spansOf(days: ReturnType<StoredDays>): Promise<readonly TouchedSeries[]> {
  const spans = new Map<string, TouchedSeries>();
  for await (const { series, day } of days) {
    const name = `${series.meter}\n${series.channel}`;
    const [fromMs, toMs] = [day * dayMs, (day + 1) * dayMs];
    const known = spans.get(name) ?? { series, fromMs, toMs };
    spans.set(name, { series, fromMs: Math.min(fromMs, known.fromMs), toMs: Math.max(toMs, known.toMs) });
  }
  return [...spans.values()];
}
