import type { SeriesName } from '@meterflow/readings';
import {
  instantMsMax,
  seriesSettingsMsMax,
  type Activations,
  type Reprocess,
  type Reprocesses,
} from '@meterflow/registry';

/** Beside the longest that settings are cached: clocks differ a little. */
export const clockMs = 500;
/** So far back activations are looked through for a rule that looked at whole days. */
const activationsLookedAt = 100;

export interface SettingsChange {
  readonly tenant: string;
  /** All of the tenant when absent. */
  readonly series?: SeriesName;
  readonly id: string;
  readonly who: string;
}

export interface SettingsReprocessPorts {
  readonly reprocesses: Pick<Reprocesses, 'add'>;
  readonly activations: Pick<Activations, 'list'>;
  readonly nowMs: () => number;
}

/**
 * Has the days of a series computed anew whose interval, zone, unit or tags are others now, once nobody computes with
 * those of before any more. Undefined where no rule of the tenant looks, or looked, at whole days: nothing depends on them.
 */
export async function reprocessSettings(
  { reprocesses, activations, nowMs }: SettingsReprocessPorts,
  { tenant, series, id, who }: SettingsChange,
): Promise<Reprocess | undefined> {
  const made = await activations.list(tenant, { limit: activationsLookedAt });
  if (!made.some(({ flow }) => flow.steps.some(({ rule }) => rule.series !== undefined))) {
    return undefined;
  }
  return reprocesses.add(tenant, {
    ...{ id: `settings-${id}`, who, fromMs: -instantMsMax, toMs: instantMsMax },
    ...(series === undefined ? {} : { series }),
    why: series === undefined ? 'settings of all series' : `settings of ${series.meter} ${series.channel}`,
    notBeforeMs: nowMs() + seriesSettingsMsMax + clockMs,
  });
}
