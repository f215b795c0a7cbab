import type { Told } from '../cli-context.ts';
import { parseExact, shownValue } from '../client/exact-json.ts';
import { queryString, type Row } from '../client/pages.ts';
import type { Call } from '../client/local-client.ts';
import { askingServices, withServer } from '../client/with-server.ts';
import { settingsBody, type SettingsOptions } from './series-settings.ts';
import { table } from '../terminal/table.ts';

const operator = { tenant: 'default', role: 'operator' } as const;

/** With what holds for its series, where that is given. */
export async function createTenant(name: string, settings: SettingsOptions, told: Told): Promise<void> {
  const given = Object.entries(settingsBody(settings)).filter(([, value]) => value !== null);
  const body = { name, ...(given.length === 0 ? {} : { series: Object.fromEntries(given) }) };
  await done({ method: 'POST', path: '/v1/tenants', body }, told, () => `tenant ${name} is there`);
}

/** What becomes of readings of series that are not registered. Not shown where more is set, and shown, after it. */
export async function setUnknownSeries(
  name: string,
  { policy, isShown }: { readonly policy: string; readonly isShown: boolean },
  { globals, output }: Told,
): Promise<void> {
  const path = `/v1/tenants/${encodeURIComponent(name)}`;
  const body = { unknownSeries: policy };
  const answer = await withServer(globals, askingServices, ({ control }) =>
    control.text({ ...operator, method: 'PATCH', path, body }),
  );
  if (isShown) {
    const text = policy === 'refuse' ? 'refused' : 'taken';
    output.line(globals.json ? answer : `readings of series that are not registered are ${text}`);
  }
}

export async function listTenants(told: Told): Promise<void> {
  await list({ path: '/v1/tenants' }, { rows: 'tenants', columns: ['name', 'createdAt'] }, told);
}

export async function createKey(
  key: { readonly tenant: string; readonly role: string; readonly label: string },
  told: Told,
): Promise<void> {
  await done({ method: 'POST', path: '/v1/keys', body: key }, told, keyText);
}

export async function rotateKey(id: string, { tenant }: { readonly tenant: string }, told: Told): Promise<void> {
  await done({ method: 'POST', path: `/v1/keys/${encodeURIComponent(id)}/rotate`, body: { tenant } }, told, keyText);
}

export async function revokeKey(id: string, { tenant }: { readonly tenant: string }, told: Told): Promise<void> {
  const path = `/v1/keys/${encodeURIComponent(id)}${queryString({ tenant })}`;
  await done({ method: 'DELETE', path }, told, () => `key ${id} is revoked`);
}

export async function listKeys({ tenant }: { readonly tenant: string }, told: Told): Promise<void> {
  const columns = ['id', 'tenant', 'role', 'label', 'createdAt', 'revokedAt'];
  await list({ path: `/v1/keys${queryString({ tenant })}` }, { rows: 'keys', columns }, told);
}

function keyText(answer: Row): string {
  return `${shownValue(answer['key'])}\nKeep it now: it is not shown again. Id ${shownValue(answer['id'])}, role ${shownValue(answer['role'])}.`;
}

async function done(
  call: Omit<Call, 'tenant' | 'role'>,
  { globals, output }: Told,
  text: (answer: Row) => string,
): Promise<void> {
  const answer = await withServer(globals, askingServices, ({ control }) => control.text({ ...operator, ...call }));
  output.line(globals.json ? answer : text(parseExact(answer) as Row));
}

async function list(
  call: Omit<Call, 'tenant' | 'role'>,
  shown: { readonly rows: string; readonly columns: readonly string[] },
  { globals, output }: Told,
): Promise<void> {
  const answer = await withServer(globals, askingServices, ({ control }) => control.text({ ...operator, ...call }));
  const rows = (parseExact(answer) as Record<string, Row[]>)[shown.rows] ?? [];
  output.line(
    globals.json
      ? JSON.stringify(rows)
      : table(
          shown.columns,
          rows.map((row) => shown.columns.map((column) => shownValue(row[column]))),
        ),
  );
}
