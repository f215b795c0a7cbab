/** What is wrong with a query. Stable: the API and the command report it. */
export type SqlErrorCode = 'sql-invalid' | 'sql-not-a-query' | 'sql-timeout' | 'sql-too-large' | 'sql-busy';

/** Thrown when a query can't be answered as it stands; the message is for who wrote it. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  readonly code: SqlErrorCode;

  constructor(code: SqlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
