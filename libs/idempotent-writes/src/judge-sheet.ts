import { AggregateBatchBuilder, sameRow, SheetCursor, wholeWindow } from '@meterflow/aggregates';
import { noOutcomes, outcomes, type Outcome, type OutcomeCounts } from './outcome.ts';
import { decodeSheet, sameSheetContent, sheetTicket } from './sheet-decoder.ts';

/** Counts of hours and of whole windows, added up over the sheets of a write. */
export class WindowTally {
  readonly hours: Record<Outcome, number> = { ...noOutcomes };
  readonly whole: Record<Outcome, number> = { ...noOutcomes };

  add(hour: number, outcome: Outcome): void {
    (hour === wholeWindow ? this.whole : this.hours)[outcome] += 1;
  }

  get all(): OutcomeCounts {
    const sums = outcomes.map((outcome) => [outcome, this.hours[outcome] + this.whole[outcome]]);
    return Object.fromEntries(sums) as OutcomeCounts;
  }
}

/**
 * Counts what becomes of each window of a sheet, and returns whether the sheet is to be stored: it is when its ticket is
 * higher, also where it says the same. `encoded` is the sheet as it would be stored.
 */
export function judgeSheet(
  sheet: SheetCursor,
  blobs: { readonly encoded: Uint8Array; readonly stored: Uint8Array | undefined },
  tally: WindowTally,
): boolean {
  const { encoded, stored } = blobs;
  if (stored === undefined) {
    countAll(sheet, tally, 'inserted');
    return true;
  }
  const later = sheet.batch.ticket - sheetTicket(stored);
  if (sameSheetContent(encoded, stored)) {
    countAll(sheet, tally, 'duplicate');
    return later > 0;
  }
  if (later > 0) {
    countReplaced(sheet, decoded(stored), tally);
    return true;
  }
  const before = decoded(stored);
  if (later === 0 && sheet.startMs !== before.startMs && (sheet.rows === 0) !== (before.rows === 0)) {
    // A window, and one of a former zone that was withdrawn with it, in a store with one place for both: the first stays.
    countAll(sheet, tally, 'inserted');
    return before.rows === 0;
  }
  countDiffering(sheet, before, { tally, outcome: later === 0 ? 'conflict' : 'shadowed' });
  // Two contents at one ticket come of no reader that keeps the rules; the greater bytes stay, whichever came first.
  return later === 0 && compareBytes(encoded, stored) > 0;
}

function countAll(sheet: SheetCursor, tally: WindowTally, outcome: Outcome): void {
  for (let row = sheet.rowsFrom; row < sheet.rowsTo; row++) {
    tally.add(sheet.batch.rows.hour[row] as number, outcome);
  }
}

/** The order in which one of two sheets of the same ticket stays. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    if (a[at] !== b[at]) {
      return (a[at] as number) - (b[at] as number);
    }
  }
  return a.length - b.length;
}

/** New windows are inserted, changed and withdrawn ones superseded. */
function countReplaced(sheet: SheetCursor, stored: SheetCursor, tally: WindowTally): void {
  const storedRows = rowsByHour(stored);
  for (let row = sheet.rowsFrom; row < sheet.rowsTo; row++) {
    const hour = sheet.batch.rows.hour[row] as number;
    const before = storedRows.get(hour);
    storedRows.delete(hour);
    if (before === undefined) {
      tally.add(hour, 'inserted');
    } else {
      tally.add(hour, sameWindow(sheet, stored, [row, before]) ? 'duplicate' : 'superseded');
    }
  }
  for (const hour of storedRows.keys()) {
    tally.add(hour, 'superseded');
  }
}

function countDiffering(
  sheet: SheetCursor,
  stored: SheetCursor,
  count: { tally: WindowTally; outcome: Outcome },
): void {
  const storedRows = rowsByHour(stored);
  for (let row = sheet.rowsFrom; row < sheet.rowsTo; row++) {
    const hour = sheet.batch.rows.hour[row] as number;
    const before = storedRows.get(hour);
    const same = before !== undefined && sameWindow(sheet, stored, [row, before]);
    count.tally.add(hour, same ? 'duplicate' : count.outcome);
  }
}

function sameWindow(sheet: SheetCursor, stored: SheetCursor, [row, before]: readonly [number, number]): boolean {
  return (
    sheet.startMs === stored.startMs &&
    sheet.endMs === stored.endMs &&
    sheet.unit === stored.unit &&
    sameRow({ batch: sheet.batch, row }, { batch: stored.batch, row: before })
  );
}

function rowsByHour(sheet: SheetCursor): Map<number, number> {
  const rows = new Map<number, number>();
  for (let row = sheet.rowsFrom; row < sheet.rowsTo; row++) {
    rows.set(sheet.batch.rows.hour[row] as number, row);
  }
  return rows;
}

let builder = new AggregateBatchBuilder();

function decoded(blob: Uint8Array): SheetCursor {
  try {
    const ticket = decodeSheet(blob, { builder, series: builder.series('', ''), rows: 'all' });
    const cursor = new SheetCursor(builder.finish({ tenant: '', level: 'day', ticket, causes: [] }));
    cursor.next();
    return cursor;
  } catch (error) {
    // What was decoded of it before it proved damaged must not show up in the next sheet.
    builder = new AggregateBatchBuilder();
    throw error;
  }
}
