import type { Receipt, Reject } from '@meterflow/receipts';
import type { Told } from '../cli-context.ts';
import { pages, queryString } from '../client/pages.ts';
import { askServer } from '../client/with-server.ts';
import { receiptText } from '../terminal/receipt-text.ts';
import { table } from '../terminal/table.ts';

const pageMax = 200;

/** The receipts of a tenant, newest first. */
export async function listSources(
  { tenant, limit }: { readonly tenant: string; readonly limit: number },
  { globals, output }: Told,
): Promise<void> {
  const sources = await askServer(globals, async ({ control }) => {
    const found: Receipt[] = [];
    const path = `/v1/sources${queryString({ limit: Math.min(limit, pageMax) })}`;
    for await (const page of pages(control, { path, tenant, role: 'operator', cursor: 'before', rows: 'sources' })) {
      // Counts: plain numbers again.
      found.push(...(JSON.parse(JSON.stringify(page)) as Receipt[]));
      if (found.length >= limit) {
        break;
      }
    }
    return found.slice(0, limit);
  });
  if (globals.json) {
    output.line(JSON.stringify(sources));
  } else if (sources.length === 0) {
    output.note(`Tenant ${tenant} has brought nothing yet.`);
  } else {
    const rows = sources.map(({ sourceId, label, state, acceptedAt, accepted, rejected, duplicates }) => [
      ...[sourceId, label, state, acceptedAt.slice(0, 19), accepted, rejected, duplicates],
    ]);
    output.line(table(['id', 'label', 'state', 'accepted at', 'accepted', 'rejected', 'duplicates'], rows));
  }
}

/** One receipt. */
export async function showSource(
  id: string,
  { tenant }: { readonly tenant: string },
  { globals, output }: Told,
): Promise<void> {
  const text = await askServer(globals, ({ control }) =>
    control.text({ path: `/v1/sources/${encodeURIComponent(id)}`, tenant, role: 'operator' }),
  );
  output.line(globals.json ? text : receiptText(JSON.parse(text) as Receipt));
}

/** Every line of a source that was not taken, or that something was noticed of. With --json as NDJSON, as they may be many. */
export async function listLines(
  id: string,
  { tenant, list }: { readonly tenant: string; readonly list: LineListName },
  { globals, output }: Told,
): Promise<void> {
  await askServer(globals, async ({ control }) => {
    let afterLine: number | undefined;
    do {
      const path = `/v1/sources/${encodeURIComponent(id)}/${list}${queryString({ afterLine })}`;
      const page = (await control.json({ path, tenant, role: 'operator' })) as LinesPage;
      for (const line of page[list] ?? []) {
        output.line(globals.json ? JSON.stringify(line) : lineText(line));
      }
      afterLine = page.nextAfterLine;
    } while (afterLine !== undefined);
  });
}

export type LineListName = 'rejects' | 'remarks';

interface LinesPage extends Partial<Record<LineListName, readonly Reject[]>> {
  readonly nextAfterLine?: number;
}

function lineText({ line, column, code, reason, text }: Reject): string {
  return `line ${line}${column === '' ? '' : `, ${column}`}: ${reason} (${code})${text === '' ? '' : `\n    ${text}`}`;
}
