import type { SeriesName } from '@meterflow/readings';
import { groupOfMeter, type GroupsSnapshot } from '@meterflow/registry';
import type { SeriesZone, SeriesZones } from '../series-zones.ts';

/** The registry's view of groups. */
export interface TenantGroups {
  /** Asked once a group and tenant; may be a few seconds old. Rejects with a TransientError while the registry is down. */
  snapshot(tenant: string): Promise<GroupsSnapshot>;
}

/** Zones that also know the series which groups' aggregates are stored as. */
export function groupZones(zones: SeriesZones, groups: TenantGroups): SeriesZones {
  return {
    snapshotOf: async (tenant, series) => {
      const own = await zones.snapshotOf(tenant, series);
      if (!series.some(({ meter }) => groupOfMeter(meter) !== undefined)) {
        return own;
      }
      const definitions = zonesOf(await groups.snapshot(tenant), series);
      return {
        of: (meter, channel) => {
          return definitions.get(meter) ?? own.of(meter, channel);
        },
      };
    },
  };
}

function zonesOf(snapshot: GroupsSnapshot, series: readonly SeriesName[]): Map<string, SeriesZone> {
  const definitions = new Map<string, SeriesZone>();
  for (const { meter } of series) {
    const group = groupOfMeter(meter);
    const definition = group === undefined ? undefined : snapshot.group(group);
    if (definition !== undefined) {
      const formerTimeZones = snapshot.formerTimeZonesOf(definition.name);
      definitions.set(meter, { timeZone: definition.timeZone, formerTimeZones });
    }
  }
  return definitions;
}
