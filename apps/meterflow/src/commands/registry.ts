import { readFile } from 'node:fs/promises';
import { CommandError, type Told } from '../cli-context.ts';
import { parseExact, shownValue } from '../client/exact-json.ts';
import type { Row } from '../client/pages.ts';
import { untilIdle } from '../client/until-idle.ts';
import { allServices, askServer, withServer } from '../client/with-server.ts';

export interface ImportOptions {
  readonly tenant: string;
  readonly allOrNothing?: boolean;
}

/** Applies the good lines of a file, tells the others, and waits until what they touch is computed anew. */
export async function importRegistryFile(
  file: string,
  { tenant, allOrNothing = false }: ImportOptions,
  { globals, output }: Told,
): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError('file-missing', `${file} can't be read: ${(error as Error).message}`);
  });
  const type = /\.(?:ndjson|jsonl)$/.test(file) ? 'application/x-ndjson' : 'text/csv';
  const done = await withServer(globals, allServices, async ({ control }) => {
    const path = `/v1/registry/import?allOrNothing=${allOrNothing}`;
    const call = { method: 'POST', path, tenant, role: 'operator', content: { type, text } } as const;
    let last: Row | undefined;
    for await (const line of control.textLines(call)) {
      last = parseExact(line) as Row;
      if (globals.json) {
        output.line(line);
      } else if (last['reject'] !== undefined) {
        output.line(rejectText(last['reject'] as Row));
      }
    }
    if (last?.['failed'] !== undefined) {
      throw new CommandError('import-failed', shownValue((last['failed'] as Row)['detail']));
    }
    await untilIdle(control);
    return (last?.['done'] ?? {}) as Row;
  });
  const count = (name: string): number => Number(shownValue(done[name] ?? 0));
  if (!globals.json) {
    const counts = `${count('applied')} of ${count('lines')} lines applied, ${count('changed')} series changed`;
    output.line(count('rejected') === 0 ? counts : `${counts}, ${count('rejected')} lines rejected`);
  }
  if (count('rejected') > 0) {
    throw new CommandError('import-failed', `${count('rejected')} lines of ${file} were not taken`);
  }
}

/** What is known of every registered series, as lines that an import takes. */
export async function exportRegistry({ tenant }: { readonly tenant: string }, told: Told): Promise<void> {
  await printLines('/v1/registry/export', tenant, told);
}

async function printLines(path: string, tenant: string, { globals, output }: Told): Promise<void> {
  await askServer(globals, async ({ control }) => {
    for await (const line of control.textLines({ path, tenant, role: 'operator' })) {
      output.line(line);
    }
  });
}

export async function listGroupMembers(
  name: string,
  { tenant }: { readonly tenant: string },
  told: Told,
): Promise<void> {
  await printLines(`${groupPath(name)}/members`, tenant, told);
}

export async function listGroups({ tenant }: { readonly tenant: string }, { globals, output }: Told): Promise<void> {
  await askServer(globals, async ({ control }) => {
    for (let after = ''; ;) {
      const path = `/v1/groups?limit=1000${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`;
      const page = (await control.json({ path, tenant, role: 'operator' })) as {
        readonly groups: readonly Record<string, unknown>[];
        readonly next?: string;
      };
      page.groups.forEach((group) => {
        output.line(JSON.stringify(group));
      });
      if (page.next === undefined) {
        return;
      }
      after = page.next;
    }
  });
}

export async function showGroup(name: string, { tenant }: { readonly tenant: string }, told: Told): Promise<void> {
  const call = { path: groupPath(name), tenant, role: 'operator' } as const;
  told.output.line(await askServer(told.globals, ({ control }) => control.text(call)));
}

/** Makes a group of what a JSON file says, and waits until its aggregates are there. */
export async function putGroup(
  { name, file }: { readonly name: string; readonly file: string },
  { tenant }: { readonly tenant: string },
  { globals, output }: Told,
): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError('file-missing', `${file} can't be read: ${(error as Error).message}`);
  });
  const answer = await withServer(globals, allServices, async ({ control }) => {
    const content = { type: 'application/json', text };
    const put = await control.text({ method: 'PUT', path: groupPath(name), tenant, role: 'operator', content });
    await untilIdle(control);
    return put;
  });
  output.line(answer);
}

export async function removeGroup(
  name: string,
  { tenant }: { readonly tenant: string },
  { globals, output }: Told,
): Promise<void> {
  await withServer(globals, allServices, async ({ control }) => {
    await control.text({ method: 'DELETE', path: groupPath(name), tenant, role: 'operator' });
    await untilIdle(control);
  });
  output.line(globals.json ? JSON.stringify({ name }) : `group ${name} of tenant ${tenant} is gone`);
}

function groupPath(name: string): string {
  return `/v1/groups/${encodeURIComponent(name)}`;
}

function rejectText(reject: Row): string {
  const column = shownValue(reject['column']);
  return `line ${shownValue(reject['line'])}${column === '' ? '' : `, ${column}`}: ${shownValue(reject['reason'])}`;
}
