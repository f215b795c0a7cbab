import {
  extremeProduct,
  hourMs,
  meanInteger,
  rareCounts,
  rowPeakMs,
  SheetCursor,
  sumInteger,
  unknownPeak,
  wholeWindow,
  type AggregateBatch,
  type RareCount,
  type Resolution,
} from '@meterflow/aggregates';
import type { AggregateWrite } from '@meterflow/idempotent-writes';
import { powersOfTen, qualities } from '@meterflow/readings';
import { exactProduct } from './exact-product.ts';
import { OrderKeyWriter } from './order-key.ts';
import { PlainColumn, RunColumn, type ColumnPages } from './parquet/parquet-column.ts';
import { decimalScale, parquetFile } from './parquet/parquet-file.ts';
import type { RowFile } from './reading-rows.ts';

/**
 * The sheets of some batches as a file of rows of their table. A sheet is replaced as a whole, rows are not: so each
 * sheet writes a row for its window and for every hour in it, with count 0 for those that it leaves out.
 */
export function aggregateRows(writes: readonly AggregateWrite[], writtenAtMs: number): RowFile {
  const rows = new AggregateRowColumns(writtenAtMs);
  for (const { batch } of writes) {
    rows.append(batch);
  }
  return { bytes: parquetFile(rows.finish(), rows.count), rows: rows.count };
}

/** Stands for the number of expected readings where it is not known. */
const unknownExpected = -1;

interface Window {
  readonly resolution: Resolution;
  readonly startMs: number;
  readonly endMs: number;
}

class AggregateRowColumns {
  count = 0;
  readonly #tenant = new RunColumn<string>('tenant', 'text');
  readonly #meter = new RunColumn<string>('meter', 'text');
  readonly #channel = new RunColumn<string>('channel', 'text');
  readonly #resolution = new RunColumn<string>('resolution', 'text');
  readonly #start = new PlainColumn('start', 'instant');
  readonly #end = new PlainColumn('end', 'instant');
  readonly #sum = new PlainColumn('sum', 'decimal');
  readonly #min = new PlainColumn('min', 'decimal');
  readonly #max = new PlainColumn('max', 'decimal');
  readonly #mean = new PlainColumn('mean', 'decimal');
  readonly #counts = new RunColumn<number>('count', 'integer');
  readonly #quality = new RunColumn<string>('quality', 'text');
  readonly #unit = new RunColumn<string>('unit', 'text');
  readonly #ticket = new RunColumn<number>('ticket', 'integer');
  readonly #writtenAt = new RunColumn<number>('written_at', 'instant');
  readonly #orderKey = new PlainColumn('order_key', 'bytes');
  readonly #peakAt = new PlainColumn('peak_at', 'instant');
  readonly #expected = new RunColumn<number>('expected', 'integer');
  readonly #rare = {
    surplus: new RunColumn<number>('surplus', 'integer'),
    estimated: new RunColumn<number>('estimated', 'integer'),
    substituted: new RunColumn<number>('substituted', 'integer'),
    calculated: new RunColumn<number>('calculated', 'integer'),
    notBillable: new RunColumn<number>('not_billable', 'integer'),
  } as const satisfies Record<RareCount, unknown>;
  readonly #inputVersion = new RunColumn<number>('input_version', 'integer');
  readonly #inputAcceptedAt = new RunColumn<number>('input_accepted_at', 'instant');
  readonly #inputActivation = new RunColumn<number>('input_activation', 'integer');
  readonly #key = new OrderKeyWriter();
  readonly #writtenAtMs: number;

  constructor(writtenAtMs: number) {
    this.#writtenAtMs = writtenAtMs;
  }

  append(batch: AggregateBatch): void {
    const cursor = new SheetCursor(batch);
    const before = this.count;
    while (cursor.next()) {
      this.#appendSheet(cursor);
    }
    const added = this.count - before;
    this.#tenant.push(batch.tenant, added);
    this.#ticket.push(batch.ticket, added);
    this.#writtenAt.push(this.#writtenAtMs * 1_000, added);
  }

  finish(): ColumnPages[] {
    return [
      this.#tenant,
      this.#meter,
      this.#channel,
      this.#resolution,
      this.#start,
      this.#end,
      this.#sum,
      this.#min,
      this.#max,
      this.#mean,
      this.#counts,
      this.#quality,
      this.#unit,
      this.#ticket,
      this.#writtenAt,
      this.#orderKey,
      this.#peakAt,
      this.#expected,
      ...Object.values(this.#rare),
      this.#inputVersion,
      this.#inputAcceptedAt,
      this.#inputActivation,
    ].map((column) => column.finish());
  }

  #appendSheet(cursor: SheetCursor): void {
    const { batch, startMs, endMs } = cursor;
    const hours = batch.level === 'day' ? Math.ceil((endMs - startMs) / hourMs) : 0;
    let row = cursor.rowsFrom;
    for (let hour = 0; hour <= hours; hour++) {
      const slot = hour === hours ? wholeWindow : hour;
      const present = row < cursor.rowsTo && batch.rows.hour[row] === slot;
      const window: Window =
        slot === wholeWindow
          ? { resolution: batch.level, startMs, endMs }
          : {
              resolution: 'hour',
              startMs: startMs + hour * hourMs,
              endMs: Math.min(startMs + (hour + 1) * hourMs, endMs),
            };
      this.#appendRow(cursor, window, present ? row : undefined);
      this.#appendFacts(cursor, present ? row : undefined);
      row += present ? 1 : 0;
    }
    const { meter, channel } = cursor.series;
    this.#meter.push(meter, hours + 1);
    this.#channel.push(channel, hours + 1);
    this.#unit.push(cursor.unit, hours + 1);
    const { declared, acceptedAtMs, activation } = cursor.inputs;
    this.#inputVersion.push(declared, hours + 1);
    this.#inputAcceptedAt.push(acceptedAtMs * 1_000, hours + 1);
    this.#inputActivation.push(activation, hours + 1);
  }

  #appendFacts(cursor: SheetCursor, row: number | undefined): void {
    const { rows } = cursor.batch;
    const peakMs = row === undefined ? undefined : rowPeakMs(cursor, row);
    const isKnown = row !== undefined && rows.peakOffsetMs[row] !== unknownPeak;
    this.#peakAt.values.int64((peakMs ?? 0) * 1_000);
    this.#expected.push(isKnown ? (rows.expected[row] as number) : unknownExpected, 1);
    for (const name of rareCounts) {
      this.#rare[name].push(isKnown ? (rows[name][row] as number) : 0, 1);
    }
  }

  /** Without a row, the window is withdrawn. */
  #appendRow({ batch }: SheetCursor, { resolution, startMs, endMs }: Window, row: number | undefined): void {
    const count = row === undefined ? 0 : (batch.rows.count[row] as number);
    this.count += 1;
    this.#resolution.push(resolution, 1);
    this.#start.values.int64(startMs * 1_000);
    this.#end.values.int64(endMs * 1_000);
    this.#counts.push(count, 1);
    this.#quality.push(row === undefined ? 'missing' : (qualities[batch.rows.quality[row] as number] as string), 1);
    this.#appendValues(batch, row);
    this.#appendKey(batch, count, row);
  }

  /** The ticket decides. The rest makes the order total, so that even two contents at one ticket show one of them whole. */
  #appendKey({ ticket, rows }: AggregateBatch, count: number, row: number | undefined): void {
    const key = this.#key;
    key.reset();
    key.whole(ticket);
    key.whole(count);
    if (row !== undefined) {
      for (const column of [this.#sum, this.#min, this.#max]) {
        key.signed(column.values.bytes().subarray(-16));
      }
      key.byte(rows.quality[row] as number);
      key.whole(rows.expected[row] as number);
      key.whole((rows.peakOffsetMs[row] as number) + 1);
      for (const name of rareCounts) {
        key.whole(rows[name][row] as number);
      }
    }
    this.#orderKey.values.int32(key.length);
    this.#orderKey.values.append(key.bytes());
  }

  #appendValues({ rows, decimals }: AggregateBatch, row: number | undefined): void {
    if (row === undefined) {
      for (const column of [this.#sum, this.#min, this.#max, this.#mean]) {
        column.values.int128BigEndian(0);
      }
      return;
    }
    const factor = powersOfTen[decimalScale - decimals] as number;
    const [high, low] = [rows.sumHigh[row] as number, rows.sumLow[row] as number];
    const sum = high === 0 ? exactProduct(low, factor) : sumInteger(high, low) * BigInt(factor);
    this.#sum.values.int128BigEndian(sum);
    this.#min.values.int128BigEndian(extremeProduct(rows.min[row] as number, factor));
    this.#max.values.int128BigEndian(extremeProduct(rows.max[row] as number, factor));
    const count = rows.count[row] as number;
    this.#mean.values.int128BigEndian(count === 0 ? 0 : meanInteger(sum, count));
  }
}
