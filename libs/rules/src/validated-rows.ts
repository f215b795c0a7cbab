import {
  BatchBuilder,
  missingCode,
  ReadingRow,
  type ReadingBatch,
  type ReadingCursor,
  type SeriesName,
  type Version,
} from '@meterflow/readings';
import { seriesFlowSource } from './own-readings.ts';

export interface RowText {
  readonly unit?: string;
  readonly code?: string;
  readonly method?: string;
  readonly reason?: string;
}

/** What a reading is written as. */
export interface RowFacts {
  readonly series: SeriesName;
  readonly version: Version;
  /** Where they differ from those of the reading it is made of. */
  readonly texts?: RowText;
}

/** Collects validated readings of one tenant, of whatever series and version, into as few batches as hold them. */
export class ValidatedRows {
  readonly #tenant: string;
  readonly #activation: number;
  readonly #builder = new BatchBuilder();
  readonly #row = new ReadingRow();
  readonly #batches: ReadingBatch[] = [];

  constructor(tenant: string, activation: number) {
    this.#tenant = tenant;
    this.#activation = activation;
  }

  /** The reading that a cursor is at, as it is, at a version. */
  copy(cursor: ReadingCursor, { series, version, texts = {} }: RowFacts): void {
    const { decimals } = cursor.columns;
    const quality = cursor.qualityCode;
    const { unit, code, method, reason } = cursor;
    this.#append(
      { startMs: cursor.startMs, lengthMs: cursor.lengthMs, integer: cursor.integer, decimals, quality },
      { series, version, texts: { unit, code, method, reason, ...texts } },
    );
  }

  /** An absence in the place of a reading. */
  absence(
    { startMs, lengthMs }: { readonly startMs: number; readonly lengthMs: number },
    { series, version, texts = {} }: RowFacts,
  ): void {
    this.#append({ startMs, lengthMs, integer: 0, decimals: 0, quality: missingCode }, { series, version, texts });
  }

  /** What was collected; begins anew. */
  finish(): readonly ReadingBatch[] {
    this.#flush();
    return this.#batches.splice(0);
  }

  #append(
    at: Pick<ReadingRow, 'startMs' | 'lengthMs' | 'integer' | 'decimals' | 'quality'>,
    { series, version, texts }: Required<RowFacts>,
  ): void {
    const builder = this.#builder;
    const row = this.#row;
    if (!builder.takes(at.integer, at.decimals)) {
      this.#flush();
    }
    Object.assign(row, at);
    row.series = builder.series(series.meter, series.channel);
    row.version = builder.version(version);
    row.unit = builder.text(texts.unit ?? '');
    row.code = builder.text(texts.code ?? '');
    row.method = builder.text(texts.method ?? '');
    row.reason = builder.text(texts.reason ?? '');
    builder.append(row);
  }

  #flush(): void {
    if (this.#builder.count > 0) {
      const header = { tenant: this.#tenant, layer: 'validated', sourceId: seriesFlowSource } as const;
      this.#batches.push(this.#builder.finish({ ...header, acceptedAtMs: 0, activation: this.#activation }));
    }
  }
}
