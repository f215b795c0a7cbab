import type { RegisterPlan } from '@meterflow/aggregates';
import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { parseEntry } from './parse-entry.ts';
import {
  calendarNameSchema,
  calendarSchema,
  calendarsPerTenantMax,
  registerNames,
  registerPlan,
  type CalendarDefinition,
} from './register-calendar.ts';
import type { Registry } from './registry.ts';

/** Thrown when a calendar can't be what is asked for. */
export class CalendarRefusedError extends Error {
  override readonly name = 'CalendarRefusedError';
}

/** Thrown when there is no such calendar. */
export class UnknownCalendarError extends Error {
  override readonly name = 'UnknownCalendarError';
}

const storedSchema = z.looseObject({
  definition: calendarSchema,
  /** Every register that it ever had: what is stored of those that are gone is to be withdrawn. */
  registersEver: z.array(z.string()),
  isRemoved: z.boolean(),
});
const entrySchema = z.looseObject({ calendars: z.record(z.string(), storedSchema) });
type Stored = z.infer<typeof storedSchema>;

/** So many registers may a calendar ever have had: each costs a little whenever a day is aggregated. */
const registersEverMax = 64;
const tenantsCachedMax = 1_000;

/** A calendar as aggregation uses it. */
export interface KnownCalendar {
  /** Of a removed one too: its windows are where what is to be withdrawn stands. The same object until it changes. */
  readonly plan: RegisterPlan;
  readonly isRemoved: boolean;
  /** Registers that it had and has not now; all of them where it was removed. */
  readonly formerRegisters: readonly string[];
}

/** A tenant's calendars at one moment: look-ups cost no I/O. */
export interface CalendarsSnapshot {
  /** True where the tenant never had any: nothing need be looked at. */
  readonly isEmpty: boolean;
  of(name: string): KnownCalendar | undefined;
  /** Every channel mark that aggregates of a series may ever have been stored under: calendar and register. */
  registersEver(): readonly { readonly calendar: string; readonly register: string }[];
}

export interface NamedCalendar {
  readonly name: string;
  readonly definition: CalendarDefinition;
}

interface Cached {
  readonly checkedMs: number;
  readonly revision: number;
  readonly snapshot: CalendarsSnapshot;
}

export interface RegisterCalendarsPorts {
  readonly registry: Registry;
  readonly nowMs: () => number;
  /** How old a snapshot may be. */
  readonly cacheMs: number;
}

/** The calendars of tenants: one entry a tenant, for there are few and they are read together. */
export class RegisterCalendars {
  readonly #ports: RegisterCalendarsPorts;
  readonly #cached = new Map<string, Cached>();

  constructor(ports: RegisterCalendarsPorts) {
    this.#ports = ports;
  }

  /** By name, without those removed. */
  async list(tenant: string): Promise<readonly NamedCalendar[]> {
    const { calendars } = await this.#read(tenant);
    return [...calendars]
      .flatMap(([name, { definition, isRemoved }]) => (isRemoved ? [] : [{ name, definition }]))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Throws {@link UnknownCalendarError}. */
  async require(tenant: string, name: string): Promise<NamedCalendar> {
    const found = (await this.list(tenant)).find((each) => each.name === name);
    if (found === undefined) {
      throw new UnknownCalendarError(`there is no calendar ${name}: make it first`);
    }
    return found;
  }

  /** Makes or replaces one. Throws ZodError for what is none, {@link CalendarRefusedError}. */
  async put(tenant: string, name: string, definition: unknown): Promise<NamedCalendar> {
    const parsed = { name: calendarNameSchema.parse(name), definition: calendarSchema.parse(definition) };
    await this.#change(tenant, (calendars) => {
      calendars.set(name, putOver(calendars.get(name), parsed));
      if (calendars.size > calendarsPerTenantMax) {
        throw new CalendarRefusedError(
          `a tenant has ${calendarsPerTenantMax} calendars at most, removed ones included`,
        );
      }
    });
    return parsed;
  }

  /**
   * Throws {@link UnknownCalendarError}. What was computed by it is withdrawn once its series are computed anew; whoever was
   * interrupted before that removes it once more.
   */
  async remove(tenant: string, name: string): Promise<void> {
    await this.#change(tenant, (calendars) => {
      const stored = calendars.get(name);
      if (stored === undefined) {
        throw new UnknownCalendarError(`there is no calendar ${name}`);
      }
      calendars.set(name, { ...stored, isRemoved: true });
    });
  }

  /** As they were no longer than `cacheMs` ago. */
  async snapshot(tenant: string): Promise<CalendarsSnapshot> {
    const atMs = this.#ports.nowMs();
    const before = this.#cached.get(tenant);
    if (before !== undefined && atMs - before.checkedMs <= this.#ports.cacheMs) {
      return before.snapshot;
    }
    const { revision, calendars } = await this.#read(tenant);
    const snapshot = before?.revision === revision ? before.snapshot : new TenantCalendars(calendars);
    const [oldest] = this.#cached.keys();
    if (this.#cached.size >= tenantsCachedMax && oldest !== undefined) {
      this.#cached.delete(oldest);
    }
    this.#cached.set(tenant, { checkedMs: atMs, revision, snapshot });
    return snapshot;
  }

  async #read(tenant: string): Promise<{ readonly revision: number; readonly calendars: Map<string, Stored> }> {
    const entry = await this.#ports.registry.get('setting', entryName(tenant));
    return {
      revision: entry?.revision ?? 0,
      calendars: new Map(entry === undefined ? [] : Object.entries(parseEntry(entrySchema, entry).calendars)),
    };
  }

  async #change(tenant: string, change: (calendars: Map<string, Stored>) => void): Promise<void> {
    await changeEntry(this.#ports.registry, { kind: 'setting', name: entryName(tenant) }, (entry) => {
      const calendars = new Map(entry === undefined ? [] : Object.entries(parseEntry(entrySchema, entry).calendars));
      change(calendars);
      return { calendars: Object.fromEntries(calendars) };
    });
    this.#cached.delete(tenant);
  }
}

/** Windows stay where they are, so that what is replaced can be: other days are another calendar. */
function putOver(before: Stored | undefined, { name, definition }: NamedCalendar): Stored {
  const startOf = (calendar: CalendarDefinition): number => registerPlan(calendar).dayStartsAtMs;
  if (before !== undefined && startOf(before.definition) !== startOf(definition)) {
    throw new CalendarRefusedError(`the days of ${name} begin at another time: make a calendar of another name`);
  }
  const registersEver = [...new Set([...(before?.registersEver ?? []), ...registerNames(definition)])];
  if (registersEver.length > registersEverMax) {
    throw new CalendarRefusedError(`${name} has had ${registersEverMax} registers: make a calendar of another name`);
  }
  return { definition, registersEver, isRemoved: false };
}

class TenantCalendars implements CalendarsSnapshot {
  readonly isEmpty: boolean;
  readonly #stored: ReadonlyMap<string, Stored>;
  readonly #known = new Map<string, KnownCalendar>();

  constructor(stored: ReadonlyMap<string, Stored>) {
    this.#stored = stored;
    this.isEmpty = stored.size === 0;
  }

  of(name: string): KnownCalendar | undefined {
    const stored = this.#stored.get(name);
    let known = this.#known.get(name);
    if (known === undefined && stored !== undefined) {
      const plan = registerPlan(stored.definition);
      const gone = stored.registersEver.filter((each) => stored.isRemoved || !plan.registers.includes(each));
      known = { plan, isRemoved: stored.isRemoved, formerRegisters: gone };
      this.#known.set(name, known);
    }
    return known;
  }

  registersEver(): readonly { readonly calendar: string; readonly register: string }[] {
    return [...this.#stored].flatMap(([calendar, { registersEver }]) =>
      registersEver.map((register) => ({ calendar, register })),
    );
  }
}

function entryName(tenant: string): string {
  return `${tenant}/calendars`;
}
