import { readFile } from 'node:fs/promises';
import { CommandError, type Told } from '../cli-context.ts';
import { untilIdle } from '../client/until-idle.ts';
import { allServices, askServer, withServer } from '../client/with-server.ts';

interface OfTenant {
  readonly tenant: string;
}

export async function listCalendars({ tenant }: OfTenant, { globals, output }: Told): Promise<void> {
  const call = { path: '/v1/calendars', tenant, role: 'operator' } as const;
  const { calendars } = (await askServer(globals, ({ control }) => control.json(call))) as {
    readonly calendars: readonly object[];
  };
  calendars.forEach((calendar) => {
    output.line(JSON.stringify(calendar));
  });
}

export async function showCalendar(name: string, { tenant }: OfTenant, { globals, output }: Told): Promise<void> {
  const call = { path: calendarPath(name), tenant, role: 'operator' } as const;
  output.line(await askServer(globals, ({ control }) => control.text(call)));
}

/** Makes a calendar, and waits until what series that have it come to is there. */
export async function putCalendar(
  {
    name,
    file,
    dayStartsAt,
  }: { readonly name: string; readonly file: string | undefined; readonly dayStartsAt: string | undefined },
  { tenant }: OfTenant,
  { globals, output }: Told,
): Promise<void> {
  if ((file === undefined) === (dayStartsAt === undefined)) {
    throw new CommandError('nothing-chosen', 'name a JSON file, or --day-starts-at: one of them');
  }
  const text = file === undefined ? JSON.stringify({ dayStartsAt }) : await fileText(file);
  const answer = await withServer(globals, allServices, async ({ control }) => {
    const content = { type: 'application/json', text };
    const put = await control.text({ method: 'PUT', path: calendarPath(name), tenant, role: 'operator', content });
    await untilIdle(control);
    return put;
  });
  output.line(answer);
}

export async function removeCalendar(name: string, { tenant }: OfTenant, { globals, output }: Told): Promise<void> {
  await withServer(globals, allServices, async ({ control }) => {
    await control.text({ method: 'DELETE', path: calendarPath(name), tenant, role: 'operator' });
    await untilIdle(control);
  });
  output.line(globals.json ? JSON.stringify({ name }) : `calendar ${name} of tenant ${tenant} is gone`);
}

async function fileText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError('file-missing', `${file} can't be read: ${(error as Error).message}`);
  });
}

function calendarPath(name: string): string {
  return `/v1/calendars/${encodeURIComponent(name)}`;
}
