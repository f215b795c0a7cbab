import { Problem, type Reply } from '@meterflow/http';
import { arrowRows, parquetRows, type ParquetRow } from '@meterflow/embedded';
import { pageOf, rowSets, type Position, type Span } from '../query-span.ts';
import { answerFormats, type AnswerFormat } from './answer-format.ts';
import { cellsOf, type Column } from './columns.ts';
import { csvRows } from './csv-rows.ts';
import { zonedJson } from './zoned-text.ts';

export interface TableRow extends Position {
  readonly json: object;
}

export interface TableAnswer {
  readonly format: AnswerFormat;
  readonly columns: readonly Column[];
  readonly timeZone: string;
  readonly span: Span & { readonly limit?: number | undefined };
  /** The rows of [fromMs, toMs), in order of start and length. */
  readonly read: (fromMs: number, toMs: number) => Promise<readonly TableRow[]>;
  /** A page of JSON. */
  readonly page: (rows: readonly object[], next: string | undefined) => object;
}

/**
 * JSON comes in pages; the other formats as one stream of all rows, read piece by piece as they are taken: what is in
 * memory does not grow with the span. Parquet, whose directory stands at its end, waits on disk until it is whole.
 */
export async function tableReply({ format, columns, timeZone, span, read, page }: TableAnswer): Promise<Reply> {
  if (format === 'json') {
    const { rows, next } = await pageOf(span, read);
    return {
      json: page(
        rows.map(({ json }) => zonedJson(json, timeZone)),
        next,
      ),
    };
  }
  if (span.limit !== undefined) {
    const detail = `pages are of JSON: leave out \`limit\`, and \`${format}\` brings all rows of the span as one stream`;
    throw new Problem('invalid-request', detail);
  }
  const rows = cellSets(rowSets(span, read), columns);
  const streams = {
    csv: () => csvRows(columns, rows, timeZone),
    arrow: () => arrowRows(columns, rows, timeZone),
    parquet: () => parquetRows(columns, rows),
  };
  const parameters = format === 'csv' ? '; charset=utf-8; header=present' : '';
  // The first piece is awaited: what can be refused is refused before an answer has begun.
  const stream = await begun(streams[format]());
  return { stream, headers: { 'content-type': `${answerFormats[format]}${parameters}` } };
}

async function* cellSets(
  sets: AsyncIterable<readonly TableRow[]>,
  columns: readonly Column[],
): AsyncGenerator<readonly ParquetRow[]> {
  for await (const rows of sets) {
    yield rows.map(({ json }) => cellsOf(json, columns));
  }
}

async function begun(pieces: AsyncIterable<Uint8Array | string>): Promise<AsyncIterable<Uint8Array | string>> {
  const rest = pieces[Symbol.asyncIterator]();
  const first = await rest.next();
  return (async function* () {
    if (first.done !== true) {
      yield first.value;
      yield* { [Symbol.asyncIterator]: () => rest };
    }
  })();
}
