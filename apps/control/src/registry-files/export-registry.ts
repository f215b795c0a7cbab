import { instantMsMax, periodsOf, type SeriesEntry } from '@meterflow/registry';
import { noCalendars } from './registry-lines.ts';

/** The lines that make a series what it is, as an import takes them: what holds for all time, then each change. */
export function exportLines({ series, own }: SeriesEntry): readonly object[] {
  const base = {
    ...series,
    ...given('time_zone', own.timeZone),
    ...given('interval', own.intervalMs),
    ...given('unit', own.unit),
    ...given('decimals', own.decimals),
    ...given('calendars', own.calendars?.length === 0 ? noCalendars : own.calendars?.join(';')),
    ...given('since', own.sinceMs === undefined ? undefined : instantText(own.sinceMs)),
    ...given('tags', own.tags),
  };
  const intervals = (own.intervalChanges ?? []).map(([fromMs, interval]) => ({ ...series, interval, ...from(fromMs) }));
  const tags = Object.entries(own.tagChanges ?? {}).flatMap(([name, timeline]) =>
    timeline.map(([fromMs, value]) => ({ ...series, tags: { [name]: value }, ...from(fromMs) })),
  );
  const groups = Object.entries(own.groups ?? {}).flatMap(([group, timeline]) =>
    periodsOf(timeline).map(({ fromMs, toMs }) => ({
      ...series,
      group,
      ...from(fromMs),
      ...(toMs === undefined ? {} : { valid_to: instantText(toMs) }),
    })),
  );
  return [base, ...intervals, ...tags, ...groups];
}

function given(name: string, value: unknown): object {
  return value === undefined ? {} : { [name]: value };
}

function from(fromMs: number): object {
  return fromMs === -instantMsMax ? {} : { valid_from: instantText(fromMs) };
}

function instantText(ms: number): string {
  return new Date(ms).toISOString();
}
