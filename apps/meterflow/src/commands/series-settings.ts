import type { Told } from '../cli-context.ts';
import { parseExact, shownValue } from '../client/exact-json.ts';
import { queryString, type Row } from '../client/pages.ts';
import type { Call } from '../client/local-client.ts';
import { untilIdle } from '../client/until-idle.ts';
import { allServices, askServer, withServer } from '../client/with-server.ts';
import { follow } from './reprocess.ts';
import { table } from '../terminal/table.ts';

/** As they are typed; null takes a setting back, and what is undefined stays. */
export interface SettingsOptions {
  readonly timeZone?: string | null;
  readonly interval?: number | null;
  readonly unit?: string | null;
  readonly calendars?: readonly string[] | null;
  readonly notBillable?: readonly string[] | null;
  /** Of one series alone: readings are expected from this instant on. */
  readonly since?: string;
}

export interface SeriesOptions {
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
}

/** As the API takes them. */
export function settingsBody({ timeZone, interval, unit, calendars, notBillable, since }: SettingsOptions): object {
  return {
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(interval === undefined ? {} : { intervalMs: interval }),
    ...(unit === undefined ? {} : { unit }),
    ...(calendars === undefined ? {} : { calendars }),
    ...(notBillable === undefined ? {} : { notBillableCodes: notBillable }),
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
  };
}

/** Changes what holds for all series of a tenant that don't say otherwise. */
export async function setTenant(tenant: string, change: SettingsOptions, told: Told): Promise<void> {
  await changed({ path: '/v1/series-defaults', tenant, body: settingsBody(change) }, told);
}

/** Changes what holds for one series. */
export async function setSeries(
  { tenant, ...series }: SeriesOptions,
  change: SettingsOptions,
  told: Told,
): Promise<void> {
  const body = { ...series, ...settingsBody(change) };
  await changed({ path: '/v1/series-settings', tenant, body }, told);
}

export async function showSeries({ tenant, ...series }: SeriesOptions, { globals, output }: Told): Promise<void> {
  const path = `/v1/series-settings${queryString(series)}`;
  const text = await askServer(globals, ({ control }) => control.text({ path, tenant, role: 'operator' }));
  output.line(globals.json ? text : settingsText(parseExact(text) as Row));
}

/** Resolves when all that the change touches is computed anew, by rules and by aggregation. */
async function changed(call: Omit<Call, 'role' | 'method'>, told: Told): Promise<void> {
  const { globals, output } = told;
  const text = await withServer(globals, allServices, async ({ control }) => {
    const answer = await control.text({ ...call, method: 'PATCH', role: 'operator' });
    const { reprocess } = parseExact(answer) as Row;
    if (reprocess !== undefined) {
      await follow(control, { tenant: call.tenant, id: shownValue(reprocess) }, told);
    }
    await untilIdle(control);
    return answer;
  });
  if (globals.json) {
    output.line(text);
    return;
  }
  const answer = parseExact(text) as Row;
  output.line(settingsText(answer));
  if (answer['recomputing'] !== undefined) {
    output.line(recomputedText(answer['recomputing'] as Row));
  }
  if (answer['reprocess'] !== undefined) {
    output.line('Rules that look at whole days computed its days anew.');
  }
}

function recomputedText(recomputed: Row): string {
  return `Hours, days and months of ${shownValue(recomputed['series'])} series are computed anew.`;
}

function settingsText(answer: Row): string {
  const names = ['meter', 'channel', 'timeZone', 'intervalMs', 'unit', 'decimals', 'calendars', 'notBillableCodes'];
  const known = names.filter((name) => name in answer);
  const shown = (name: string): string => (answer[name] === null ? 'as the readings come' : shownValue(answer[name]));
  return table(
    ['setting', 'value'],
    known.map((name) => [name, shown(name)]),
  );
}
