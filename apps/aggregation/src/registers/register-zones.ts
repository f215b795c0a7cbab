import { registerDaysOf } from '@meterflow/aggregates';
import { registerOfChannel, type CalendarsSnapshot } from '@meterflow/registry';
import type { SeriesZone, SeriesZones } from '../series-zones.ts';

/** The registry's view of calendars. */
export interface TenantCalendars {
  /** Asked once a group and tenant; may be a few seconds old. Rejects with a TransientError while the registry is down. */
  snapshot(tenant: string): Promise<CalendarsSnapshot>;
}

/** Zones that also know the channels which registers of calendars are stored under. */
export function registerZones(zones: SeriesZones, calendars: TenantCalendars): SeriesZones {
  return {
    snapshotOf: async (tenant, series) => {
      const bases = series.flatMap(({ meter, channel }) => {
        const register = registerOfChannel(channel);
        return register === undefined ? [] : [{ meter, channel: register.channel }];
      });
      if (bases.length === 0) {
        return zones.snapshotOf(tenant, series);
      }
      const own = await zones.snapshotOf(tenant, [...series, ...bases]);
      const snapshot = await calendars.snapshot(tenant);
      return {
        of: (meter, channel) => {
          const register = registerOfChannel(channel);
          const plan = register && snapshot.of(register.calendar)?.plan;
          if (register === undefined || plan === undefined) {
            return own.of(meter, channel);
          }
          return registerZone(own.of(meter, register.channel), plan, register.register);
        },
      };
    },
  };
}

function registerZone(
  { timeZone, formerTimeZones = [], intervals = [] }: SeriesZone,
  plan: Parameters<typeof registerDaysOf>[0],
  register: string,
): SeriesZone {
  const days = registerDaysOf(plan, timeZone);
  const index = plan.registers.indexOf(register);
  const zone = { timeZone, formerTimeZones, intervals, dayStartsAtMs: plan.dayStartsAtMs };
  return plan.periods.length === 0 ? zone : { ...zone, covered: (span) => days.covered(index, span) };
}
