import { parseExact } from './exact-json.ts';
import type { Call, LocalClient } from './local-client.ts';

export type Row = Readonly<Record<string, unknown>>;

/** All rows of a paged list, page after page; numbers keep their digits. */
export async function* pages(
  client: LocalClient,
  call: Omit<Call, 'path'> & { readonly path: string; readonly cursor: string; readonly rows: string },
): AsyncGenerator<readonly Row[]> {
  let next: string | undefined;
  do {
    const separator = call.path.includes('?') ? '&' : '?';
    const path = next === undefined ? call.path : `${call.path}${separator}${call.cursor}=${encodeURIComponent(next)}`;
    const page = parseExact(await client.text({ ...call, path })) as Record<string, unknown>;
    yield (page[call.rows] ?? []) as Row[];
    next = page['next'] as string | undefined;
  } while (next !== undefined);
}

/** A query string of the parameters that are given. */
export function queryString(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) {
      given.set(name, String(value));
    }
  }
  return given.size === 0 ? '' : `?${given.toString()}`;
}
