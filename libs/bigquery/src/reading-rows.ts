import type { ReadingWrite } from '@meterflow/idempotent-writes';
import {
  missingCode,
  powersOfTen,
  qualities,
  ReadingCursor,
  readingCount,
  type ReadingBatch,
  type Runs,
  type SeriesName,
} from '@meterflow/readings';
import { exactProduct } from './exact-product.ts';
import { OrderKeyWriter } from './order-key.ts';
import type { GrowingBytes } from './parquet/growing-bytes.ts';
import { PlainColumn, RunColumn, type ColumnPages } from './parquet/parquet-column.ts';
import { decimalScale, parquetFile } from './parquet/parquet-file.ts';

/** A file of rows for a load job. */
export interface RowFile {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** The readings of some batches as a file of rows of their table. */
export function readingRows(writes: readonly ReadingWrite[], writtenAtMs: number): RowFile {
  const rows = new ReadingRows(writtenAtMs);
  let count = 0;
  for (const { batch } of writes) {
    rows.append(batch);
    count += readingCount(batch);
  }
  return { bytes: parquetFile(rows.finish(), count), rows: count };
}

/** Names are the table's, in its order. */
class ReadingRows {
  readonly #tenant = new RunColumn<string>('tenant', 'text');
  readonly #meter = new RunColumn<string>('meter', 'text');
  readonly #channel = new RunColumn<string>('channel', 'text');
  readonly #start = new PlainColumn('start', 'instant');
  readonly #end = new PlainColumn('end', 'instant');
  readonly #value = new PlainColumn('value', 'decimal');
  readonly #quality = new RunColumn<string>('quality', 'text');
  readonly #unit = new RunColumn<string>('unit', 'text');
  readonly #code = new RunColumn<string>('code', 'text');
  readonly #method = new RunColumn<string>('method', 'text');
  readonly #reason = new RunColumn<string>('reason', 'text');
  readonly #declared = new RunColumn<number>('declared_version', 'integer');
  readonly #acceptedAt = new RunColumn<number>('accepted_at', 'instant');
  readonly #source = new RunColumn<string>('source', 'text');
  readonly #writtenAt = new RunColumn<number>('written_at', 'instant');
  readonly #orderKey = new PlainColumn('order_key', 'bytes');
  readonly #keys = new ReadingKeys();
  readonly #writtenAtMs: number;

  constructor(writtenAtMs: number) {
    this.#writtenAtMs = writtenAtMs;
  }

  append(batch: ReadingBatch): void {
    const count = readingCount(batch);
    if (count === 0) {
      return;
    }
    this.#tenant.push(batch.tenant, count);
    this.#acceptedAt.push(batch.acceptedAtMs * 1_000, count);
    this.#source.push(batch.sourceId, count);
    this.#writtenAt.push(this.#writtenAtMs * 1_000, count);
    this.#appendSpans(batch);
    this.#appendTags(batch);
    this.#appendValues(batch);
  }

  finish(): ColumnPages[] {
    return [
      this.#tenant,
      this.#meter,
      this.#channel,
      this.#start,
      this.#end,
      this.#value,
      this.#quality,
      this.#unit,
      this.#code,
      this.#method,
      this.#reason,
      this.#declared,
      this.#acceptedAt,
      this.#source,
      this.#writtenAt,
      this.#orderKey,
    ].map((column) => column.finish());
  }

  #appendSpans({ series, columns: { spans } }: ReadingBatch): void {
    const [start, end] = [this.#start.values, this.#end.values];
    for (let span = 0; span < spans.count.length; span++) {
      const count = spans.count[span] as number;
      const { meter, channel } = series[spans.series[span] as number] as SeriesName;
      this.#meter.push(meter, count);
      this.#channel.push(channel, count);
      let startMs = spans.startMs[span] as number;
      for (let index = 0; index < count; index++) {
        start.int64(startMs * 1_000);
        end.int64((startMs + (spans.lengthMs[span] as number)) * 1_000);
        startMs += spans.stepMs[span] as number;
      }
    }
  }

  #appendTags({ columns }: ReadingBatch): void {
    const { texts, versions } = columns;
    const push = <Value extends string | number>(
      column: RunColumn<Value>,
      runs: Runs,
      of: { readonly length: number } & Readonly<Record<number, Value>>,
    ): void => {
      let from = 0;
      for (let run = 0; run < runs.ends.length; run++) {
        const to = runs.ends[run] as number;
        column.push(of[runs.values[run] as number] as Value, to - from);
        from = to;
      }
    };
    push(this.#quality, columns.quality, qualities);
    push(this.#unit, columns.unit, texts);
    push(this.#code, columns.code, texts);
    push(this.#method, columns.method, texts);
    push(this.#reason, columns.reason, texts);
    push(this.#declared, columns.version, versions.declared);
  }

  #appendValues(batch: ReadingBatch): void {
    const { columns } = batch;
    const cursor = new ReadingCursor(columns);
    const values = this.#value.values;
    const factor = powersOfTen[decimalScale - columns.decimals] as number;
    this.#keys.begin(batch);
    while (cursor.next()) {
      const integer = cursor.qualityCode === missingCode ? 0 : cursor.integer;
      values.int128BigEndian(exactProduct(integer, factor));
      this.#keys.append(cursor, integer, this.#orderKey.values);
    }
  }
}

/** Writes the order key of one reading after the other; what stays the same between neighbours is made once. */
export class ReadingKeys {
  readonly #before = new OrderKeyWriter();
  readonly #value = new OrderKeyWriter();
  readonly #after = new OrderKeyWriter();
  readonly #parts = [this.#before, this.#value, this.#after];
  #acceptedAtMs = 0;
  #version = -1;
  readonly #tags = { unit: '', code: '', method: '', reason: '' };

  begin({ acceptedAtMs }: Pick<ReadingBatch, 'acceptedAtMs'>): void {
    this.#acceptedAtMs = acceptedAtMs;
    this.#version = -1;
    this.#makeAfter();
  }

  /** Appends the key with its length before it. */
  append(cursor: ReadingCursor, integer: number, into: GrowingBytes): void {
    if (cursor.versionIndex !== this.#version) {
      this.#makeBefore(cursor);
    }
    const tags = this.#tags;
    const { unit, code, method, reason } = cursor;
    if (unit !== tags.unit || code !== tags.code || method !== tags.method || reason !== tags.reason) {
      Object.assign(tags, { unit, code, method, reason });
      this.#makeAfter();
    }
    this.#value.reset();
    this.#value.decimal(integer, cursor.columns.decimals);
    this.#value.byte(cursor.qualityCode);
    const length = this.#before.length + this.#value.length + this.#after.length;
    into.int32(length);
    const memory = into.reserve(length);
    let at = into.length;
    for (const part of this.#parts) {
      at = part.copy(memory, at);
    }
    into.length = at;
  }

  #makeBefore(cursor: ReadingCursor): void {
    const { versionIndex } = cursor;
    const { declared, acceptedAtMs, activation, ticket, computed } = cursor.columns.versions;
    const key = this.#before;
    this.#version = versionIndex;
    key.reset();
    for (const part of [declared, acceptedAtMs, activation, ticket, computed]) {
      key.whole(part[versionIndex] as number);
    }
  }

  #makeAfter(): void {
    const key = this.#after;
    key.reset();
    for (const text of [this.#tags.unit, this.#tags.code, this.#tags.method, this.#tags.reason]) {
      key.text(text);
    }
    key.whole(this.#acceptedAtMs);
  }
}
