import { hash } from 'node:crypto';
import type { SheetLevel } from '@meterflow/aggregates';
import { compareBytes, sheetTicket } from '@meterflow/idempotent-writes';
import { tables } from '../schema.ts';
import type { StoredCell } from '../wire/read-rows.ts';
import { inQualifiers, type RowFilter } from '../wire/row-filter.ts';

/**
 * A row holds a series' day sheets that start in one UTC month, or its month sheets of one UTC year:
 *
 *     key: series, level, number of the month or year (2 bytes)
 *     qualifier: the sheet's start (ms, 6 bytes), its ticket (7 bytes), 8 bytes of the sheet's SHA-256
 *     timestamp: the window's end
 *     value: the sheet as idempotent-writes encodes it
 */
const startBytes = 6;
const ticketBytes = 7;
const contentHashBytes = 8;

const levels = { day: 0x64, month: 0x6d } as const satisfies Record<SheetLevel, number>;
export const sheetFamilies = {
  day: tables.aggregates.days,
  month: tables.aggregates.months,
} as const satisfies Record<SheetLevel, string>;

export function withPeriod(prefix: Buffer, level: SheetLevel, startMs: number): Buffer {
  const at = new Date(startMs);
  const year = at.getUTCFullYear() - 1970;
  const key = Buffer.allocUnsafe(prefix.length + 3);
  prefix.copy(key);
  key[prefix.length] = levels[level];
  key.writeUInt16BE(level === 'day' ? year * 12 + at.getUTCMonth() : year, prefix.length + 1);
  return key;
}

export function sheetQualifier(startMs: number, sheet: Uint8Array): Buffer {
  const qualifier = Buffer.allocUnsafe(startBytes + ticketBytes + contentHashBytes);
  qualifier.writeUIntBE(startMs, 0, startBytes);
  const ticket = sheetTicket(sheet);
  qualifier[startBytes] = Math.floor(ticket / 2 ** 48);
  qualifier.writeUIntBE(ticket % 2 ** 48, startBytes + 1, 6);
  hash('sha256', sheet, 'buffer').copy(qualifier, startBytes + ticketBytes, 0, contentHashBytes);
  return qualifier;
}

export function sheetStartMs(qualifier: Buffer): number {
  return qualifier.readUIntBE(0, startBytes);
}

/** Sheets that start in [fromMs, toMs]. */
export function sheetsWithin(level: SheetLevel, fromMs: number, toMs: number): RowFilter {
  const at = (ms: number): Buffer => {
    const bound = Buffer.alloc(startBytes);
    bound.writeUIntBE(ms, 0, startBytes);
    return bound;
  };
  return inQualifiers({ family: sheetFamilies[level], from: at(fromMs), to: at(toMs + 1) });
}

/** The latest instant that a qualifier has room for. */
export const startMsMax = 2 ** 47;

/** Which of two sheets of a window stays: that of the higher ticket. */
export function compareSheets(a: Uint8Array, b: Uint8Array): number {
  return sheetTicket(a) - sheetTicket(b) || compareBytes(a, b);
}

/** The cell that stays of each window, by start, ascending; `isErased` cells are left out. */
export function standingSheets(cells: readonly StoredCell[], isErased: (ticket: number) => boolean): StoredCell[] {
  const standing: StoredCell[] = [];
  for (const cell of cells) {
    if (isErased(sheetTicket(cell.value))) {
      continue;
    }
    const last = standing.at(-1);
    if (last === undefined || sheetStartMs(last.qualifier) !== sheetStartMs(cell.qualifier)) {
      standing.push(cell);
    } else if (compareSheets(cell.value, last.value) > 0) {
      standing[standing.length - 1] = cell;
    }
  }
  return standing;
}
