import { DuckDbEngine } from './duckdb-engine.ts';
import type { SqlEngineOptions, SqlRows } from './sql-engine.ts';
import { SqlError } from './sql-error.ts';
import type { SqlAsk, SqlReply } from './sql-messages.ts';

// The process that DuckDB runs in: it answers what its parent asks, and ends with it.

/** Bounds of one reply. A single row may be larger. */
const rowsPerReplyMax = 2_000;
const charsPerReplyMax = 256 * 1024;

interface OpenQuery {
  readonly abort: AbortController;
  answer?: { readonly rows: SqlRows; readonly iterator: AsyncIterator<readonly string[]> };
}

const engine = new DuckDbEngine(JSON.parse(process.argv[2] ?? '') as SqlEngineOptions);
const queries = new Map<number, OpenQuery>();

process.on('message', (ask: SqlAsk) => {
  if (ask.kind === 'end') {
    end(ask.id);
  } else {
    void replyTo(ask).then((reply) => process.send?.(reply));
  }
});
process.on('disconnect', () => process.exit(0));

async function replyTo(ask: Exclude<SqlAsk, { kind: 'end' }>): Promise<SqlReply> {
  try {
    return await (ask.kind === 'query' ? begin(ask) : next(ask.id));
  } catch (error) {
    queries.delete(ask.id);
    const code = error instanceof SqlError ? error.code : undefined;
    return { id: ask.id, kind: 'failed', code, message: (error as Error).message };
  }
}

async function begin({ id, request }: SqlAsk & { kind: 'query' }): Promise<SqlReply> {
  const query: OpenQuery = { abort: new AbortController() };
  queries.set(id, query);
  const rows = await engine.query({ ...request, signal: query.abort.signal });
  query.answer = { rows, iterator: rows[Symbol.asyncIterator]() };
  return { id, kind: 'columns', columns: rows.columns };
}

async function next(id: number): Promise<SqlReply> {
  const answer = queries.get(id)?.answer;
  if (answer === undefined) {
    throw new SqlError('sql-busy', 'The query was ended before its rows were read; try again.');
  }
  const rows: (readonly string[])[] = [];
  for (let chars = 0; rows.length < rowsPerReplyMax && chars < charsPerReplyMax;) {
    const row = await answer.iterator.next();
    if (row.done === true) {
      break;
    }
    rows.push(row.value);
    chars += row.value.reduce((sum, cell) => sum + cell.length, 0);
  }
  if (rows.length > 0) {
    return { id, kind: 'rows', rows };
  }
  queries.delete(id);
  return { id, kind: 'ended', truncated: answer.rows.truncated };
}

function end(id: number): void {
  const query = queries.get(id);
  queries.delete(id);
  // Who is at its rows sees that it has failed; where nobody is, it lets go of what it holds.
  query?.abort.abort();
}
