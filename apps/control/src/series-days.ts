import {
  calendarOf,
  registerDaysOf,
  type Calendar,
  type Covered,
  type RegisteredIntervals,
} from '@meterflow/aggregates';
import type { SeriesName } from '@meterflow/readings';
import { groupOfMeter, registerOfChannel } from '@meterflow/registry';
import type { ControlPorts } from './ports.ts';

export type SeriesDaysPorts = Pick<ControlPorts, 'series' | 'groupsNow' | 'calendars'>;

/** What a series, a group or a register is aggregated by. */
export interface SeriesDays {
  readonly calendar: Calendar;
  readonly intervals: RegisteredIntervals;
  /** What its values are summed in; undefined: whatever they come in. */
  readonly unit: string | undefined;
  /** Of a register: the parts of a span that it takes. */
  readonly covered?: Covered;
}

/** As the registry has it now. */
export async function seriesDays(ports: SeriesDaysPorts, tenant: string, series: SeriesName): Promise<SeriesDays> {
  const group = groupOfMeter(series.meter);
  if (group !== undefined) {
    const definition = (await ports.groupsNow.snapshot(tenant)).group(group);
    return { calendar: calendarOf(definition?.timeZone ?? 'UTC'), intervals: [], unit: definition?.unit };
  }
  const register = registerOfChannel(series.channel);
  const own = register === undefined ? series : { meter: series.meter, channel: register.channel };
  const { timeZone, intervals, unit } = await ports.series.current(tenant, own);
  const plan = register && (await ports.calendars.snapshot(tenant)).of(register.calendar)?.plan;
  if (register === undefined || plan === undefined) {
    return { calendar: calendarOf(timeZone), intervals, unit };
  }
  const days = registerDaysOf(plan, timeZone);
  const index = plan.registers.indexOf(register.register);
  return { calendar: days.calendar, intervals, unit, covered: (span) => days.covered(index, span) };
}
