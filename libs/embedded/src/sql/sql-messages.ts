import type { SqlErrorCode } from './sql-error.ts';
import type { SqlColumn, SqlRequest } from './sql-engine.ts';

/** What the process of the SQL engine is asked. Each ask but `end` has one reply. */
export type SqlAsk =
  | { readonly id: number; readonly kind: 'query'; readonly request: Omit<SqlRequest, 'signal'> }
  /** The next rows of the query. */
  | { readonly id: number; readonly kind: 'next' }
  /** Nobody wants its rows any more. */
  | { readonly id: number; readonly kind: 'end' };

export type SqlReply =
  | { readonly id: number; readonly kind: 'columns'; readonly columns: readonly SqlColumn[] }
  | { readonly id: number; readonly kind: 'rows'; readonly rows: readonly (readonly string[])[] }
  | { readonly id: number; readonly kind: 'ended'; readonly truncated: boolean }
  | { readonly id: number; readonly kind: 'failed'; readonly code: SqlErrorCode | undefined; readonly message: string };
