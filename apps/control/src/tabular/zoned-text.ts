import { calendarOf } from '@meterflow/aggregates';
import { utcText } from '@meterflow/readings';

const minuteMs = 60_000;

/** An instant as the clocks of a zone show it, with its offset: `2025-03-30T03:00:00+02:00`; of UTC with a Z. */
export function zonedText(instantMs: number, timeZone: string): string {
  if (timeZone === 'UTC') {
    return utcText(instantMs);
  }
  const offsetMs = calendarOf(timeZone).offsetMs(instantMs);
  const minutes = Math.abs(Math.round(offsetMs / minuteMs));
  const two = (value: number): string => String(value).padStart(2, '0');
  const offset = `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return utcText(instantMs + offsetMs).replace('Z', offset);
}

const instantNames: readonly string[] = ['start', 'end', 'peakAt', 'acceptedAt'];

/** The JSON of a row with its instants as the clocks of a zone show them. */
export function zonedJson(json: object, timeZone: string): object {
  if (timeZone === 'UTC') {
    return json;
  }
  return Object.fromEntries(
    Object.entries(json).map(([name, value]: [string, unknown]) => {
      if (typeof value === 'string' && instantNames.includes(name)) {
        return [name, zonedText(Date.parse(value), timeZone)];
      }
      return [name, name === 'inputs' ? zonedJson(value as object, timeZone) : value];
    }),
  );
}
