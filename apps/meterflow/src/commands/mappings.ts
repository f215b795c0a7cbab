import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { CommandError, type Told } from '../cli-context.ts';
import { parseExact, shownValue } from '../client/exact-json.ts';
import type { Row } from '../client/pages.ts';
import { withServer } from '../client/with-server.ts';
import type { Call } from '../client/local-client.ts';
import { table } from '../terminal/table.ts';

interface OfTenant {
  readonly tenant: string;
}

export async function listMappings({ tenant }: OfTenant, told: Told): Promise<void> {
  const { mappings } = (await asked(told, { path: '/v1/mappings', tenant })) as { mappings: Row[] };
  const columns = ['name', 'version', 'builtIn'];
  const rows = mappings.map((mapping) => columns.map((column) => shownValue(mapping[column])));
  told.output.line(told.globals.json ? JSON.stringify(mappings) : table(columns, rows));
}

/** Its content as JSON, to be changed and put under another name; with --json what is known of it besides. */
export async function showMapping(name: string, { tenant }: OfTenant, told: Told): Promise<void> {
  const known = (await asked(told, { path: pathOf(name), tenant })) as Row;
  told.output.line(told.globals.json ? JSON.stringify(known) : JSON.stringify(known['mapping'], undefined, 2));
}

/** Says that a file is a mapping, or fails with everything that is wrong with it. */
export async function checkMapping(file: string, { tenant }: OfTenant, told: Told): Promise<void> {
  const content = await contentOf(file);
  const path = `${pathOf(nameIn(file, content.text))}?check=true`;
  const checked = (await asked(told, { method: 'PUT', path, tenant, content })) as Row;
  told.output.line(
    told.globals.json ? JSON.stringify(checked) : `${file} is a mapping, ${shownValue(checked['name'])}`,
  );
}

export async function putMapping(
  file: string,
  options: OfTenant & { readonly name?: string },
  told: Told,
): Promise<void> {
  const { tenant, name } = options;
  const content = await contentOf(file);
  const path = pathOf(name ?? nameIn(file, content.text));
  const put = (await asked(told, { method: 'PUT', path, tenant, content })) as Row;
  const text = `mapping ${shownValue(put['name'])} of tenant ${tenant} is at version ${shownValue(put['version'])}`;
  told.output.line(told.globals.json ? JSON.stringify(put) : text);
}

export async function removeMapping(name: string, { tenant }: OfTenant, told: Told): Promise<void> {
  await asked(told, { method: 'DELETE', path: pathOf(name), tenant });
  told.output.line(told.globals.json ? JSON.stringify({ name }) : `mapping ${name} of tenant ${tenant} is gone`);
}

async function asked({ globals }: Told, call: Omit<Call, 'role'>): Promise<unknown> {
  const text = await withServer(globals, ['ingest'], ({ ingest }) => ingest.text({ ...call, role: 'operator' }));
  return text === '' ? undefined : parseExact(text);
}

function pathOf(name: string): string {
  return `/v1/mappings/${encodeURIComponent(name)}`;
}

async function contentOf(file: string): Promise<NonNullable<Call['content']>> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? `there is no file ${file}` : `${file} can't be read: ${message}`;
    throw new CommandError('file-missing', what, { cause: error });
  });
  return { type: /\.json$/i.test(file) ? 'application/json' : 'application/yaml', text };
}

/** The name that the text gives itself, or the file's. */
function nameIn(file: string, text: string): string {
  const named = /^\s*"?name"?\s*:\s*["']?([a-z0-9][a-z0-9-]*)["']?/m.exec(text)?.[1];
  return named ?? basename(file).replace(/\.(ya?ml|json)$/i, '');
}
