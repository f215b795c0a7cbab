import type { Told } from '../cli-context.ts';
import { parseExact, shownValue } from '../client/exact-json.ts';
import { queryString, type Row } from '../client/pages.ts';
import { askServer } from '../client/with-server.ts';
import { table } from '../terminal/table.ts';

export interface AuditOptions {
  readonly tenant: string;
  readonly limit?: number;
  /** The `next` of a page. */
  readonly after?: string;
}

/** Who did what to the tenant's rules, when and why, newest first. */
export async function showAudit({ tenant, limit, after }: AuditOptions, { globals, output }: Told): Promise<void> {
  const path = `/v1/audit${queryString({ limit, after })}`;
  const text = await askServer(globals, ({ control }) => control.text({ path, tenant, role: 'customer' }));
  if (globals.json) {
    output.line(text);
    return;
  }
  const { lines, next } = parseExact(text) as { readonly lines: readonly Row[]; readonly next?: string };
  const columns = ['at', 'who', 'what', 'subject', 'why', 'outcome'];
  output.line(
    table(
      columns,
      lines.map((line) => columns.map((column) => shownValue(line[column]))),
    ),
  );
  if (next !== undefined) {
    output.note(`More: meterflow rules audit --after ${next}`);
  }
}
