import type { Layer } from '@meterflow/readings';
import type { RowTable } from '../client/table.ts';
import { tenantKey } from '../rows/series-key.ts';
import type { Tombstones } from '../rows/tombstones.ts';
import { latestBlobs, standingCells } from './row-cells.ts';
import { segmentsWithin } from './segment-cell.ts';
import type { TouchedRow } from './segment-entries.ts';

/** A group that touches more days than this is read with one filter for all of them. */
const daysReadApartMax = 2;

const lastMsOfDay = 86_399_999;

/** Which rows are read with one filter, and the span of the day that it asks for. */
interface Span {
  readonly keys: Buffer[];
  fromMs: number;
  toMs: number;
}

/** What is stored of the rows that a group touches, as far as it can meet what the group brings. */
export interface StoredRows {
  /** By the key as latin-1. */
  readonly segments: ReadonlyMap<string, readonly Buffer[]>;
  /** By tenant: see `Tombstones.ofTenant`. */
  readonly erased: ReadonlyMap<string, { readonly all: number; readonly newest: number }>;
}

export const keyText = (key: Buffer): string => key.toString('latin1');

/**
 * Reads before a write what the outcomes are judged against, and the tenants' tombstones with it. Live readings, each a
 * slot of another meter, ask for that slot alone: nothing comes back of a day that fills.
 */
export async function readStoredRows(
  table: RowTable,
  { layer, tombstones }: { readonly layer: Layer; readonly tombstones: Tombstones },
  group: { readonly rows: readonly TouchedRow[]; readonly tenants: ReadonlySet<string> },
): Promise<StoredRows> {
  const tenants = new Map([...group.tenants].map((tenant) => [keyText(tenantKey(tenant)), tenant]));
  const spans = spansOf(group.rows);
  spans[0]?.keys.push(...[...group.tenants].map(tenantKey));
  const reads = spans.map(({ keys, fromMs, toMs }) =>
    table.read({ keys, filter: tombstones.beside(segmentsWithin(layer, fromMs, toMs)) }),
  );
  const segments = new Map<string, readonly Buffer[]>();
  const erased = new Map<string, { readonly all: number; readonly newest: number }>();
  for (const row of (await Promise.all(reads)).flat()) {
    const text = keyText(row.key);
    const tenant = tenants.get(text);
    if (tenant === undefined) {
      segments.set(text, latestBlobs(standingCells(row, -1)));
    } else {
      erased.set(tenant, tombstones.ofTenant(row));
    }
  }
  return { segments, erased };
}

function spansOf(rows: readonly TouchedRow[]): Span[] {
  const byDay = new Map<number, Span>();
  for (const { key, day, fromMs, toMs } of rows) {
    const span = byDay.get(day) ?? { keys: [], fromMs: lastMsOfDay, toMs: 0 };
    byDay.set(day, span);
    span.keys.push(key);
    span.fromMs = Math.min(span.fromMs, fromMs);
    span.toMs = Math.max(span.toMs, toMs);
  }
  const spans = [...byDay.values()];
  if (spans.length <= daysReadApartMax) {
    return spans;
  }
  return [
    {
      keys: rows.map(({ key }) => key),
      fromMs: Math.min(...spans.map(({ fromMs }) => fromMs)),
      toMs: Math.max(...spans.map(({ toMs }) => toMs)),
    },
  ];
}
