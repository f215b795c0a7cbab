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
  /** How much of the span is read at once for a page; about a year unless told. */
  readonly pageWindowMs?: number | undefined;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Rows of one Parquet file: half a century of quarter-hours. It waits on the disk of the process until it was taken. */
const parquetRowsMax = 2_000_000;

/**
 * JSON comes in pages; the other formats as one stream of all rows, read piece by piece as they are taken: what is in
 * memory does not grow with the span. Parquet, whose directory stands at its end, waits on disk until it is whole.
 */
export async function tableReply(answer: TableAnswer): Promise<Reply> {
  const { format, columns, timeZone, span, read, page } = answer;
  if (format === 'json') {
    const { rows, next } = await pageOf(span, read, answer.pageWindowMs);
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
  const found = rowSets(span, read);
  const rows = cellSets(format === 'parquet' ? atMost(parquetRowsMax, found) : found, answer);
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
  { columns, signal }: Pick<TableAnswer, 'columns' | 'signal'>,
): AsyncGenerator<readonly ParquetRow[]> {
  for await (const rows of sets) {
    if (signal.aborted) {
      throw new Problem('unavailable', 'who asked for the rows has gone away', { retryAfterSeconds: 1 });
    }
    yield rows.map(({ json }) => cellsOf(json, columns));
  }
}

async function* atMost(rowsMax: number, sets: AsyncIterable<readonly TableRow[]>): AsyncGenerator<readonly TableRow[]> {
  let count = 0;
  for await (const rows of sets) {
    count += rows.length;
    if (count > rowsMax) {
      const detail = `Parquet has ${rowsMax} rows at the most: ask for a shorter span, or for \`csv\` or \`arrow\``;
      throw new Problem('unprocessable-content', detail);
    }
    yield rows;
  }
}

/** Ended before its first piece was taken, it ends the pieces too: there may be a file to be removed. */
async function begun(pieces: AsyncIterable<Uint8Array | string>): Promise<AsyncIterable<Uint8Array | string>> {
  const rest = pieces[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array | string> | undefined = await rest.next();
  const iterator: AsyncIterator<Uint8Array | string> = {
    next: () => {
      const next = first === undefined ? rest.next() : Promise.resolve(first);
      first = undefined;
      return next;
    },
    return: async () => {
      await rest.return?.();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
