import { calendarOf, type Calendar, type DaySlots } from '@meterflow/aggregates';
import type { GroupDefinition, GroupsSnapshot } from '@meterflow/registry';

/** What a group is summed in that names no unit. */
const unitDefault = 'kWh';

/** The days of one group. */
export interface GroupDays {
  readonly definition: GroupDefinition;
  readonly calendar: Calendar;
  /** Of zones that the group had before. */
  readonly former: readonly Calendar[];
  readonly slotMs: number;
  readonly unit: string;
}

export function slotsOf({ calendar, slotMs }: GroupDays, day: number): DaySlots {
  return { startMs: calendar.dayStartMs(day), endMs: calendar.dayStartMs(day + 1), slotMs };
}

/** The days of a tenant's groups, each worked out once. */
export class DaysOfGroups {
  readonly #snapshot: GroupsSnapshot;
  readonly #known = new Map<string, GroupDays | undefined>();

  constructor(snapshot: GroupsSnapshot) {
    this.#snapshot = snapshot;
  }

  /** Undefined where there is no such group. */
  of(name: string): GroupDays | undefined {
    if (!this.#known.has(name)) {
      this.#known.set(name, daysOf(this.#snapshot.group(name), this.#snapshot));
    }
    return this.#known.get(name);
  }
}

function daysOf(definition: GroupDefinition | undefined, snapshot: GroupsSnapshot): GroupDays | undefined {
  return (
    definition && {
      definition,
      calendar: calendarOf(definition.timeZone),
      former: snapshot.formerTimeZonesOf(definition.name).map((zone) => calendarOf(zone)),
      slotMs: definition.intervalMs,
      unit: definition.unit ?? unitDefault,
    }
  );
}
