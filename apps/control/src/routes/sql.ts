import { SqlError, type SqlEngine } from '@meterflow/embedded';
import { defineRoute, Problem, type Route } from '@meterflow/http';
import { z } from 'zod';

const sqlCharsMax = 100_000;
const rowsMax = 1_000_000;
const busyRetryAfterSeconds = 2;

const body = z.strictObject({
  sql: z.string().min(1).max(sqlCharsMax).describe('one SELECT over the views readings, readings_raw and aggregates'),
  rowsMax: z.number().int().min(1).max(rowsMax).default(rowsMax).describe('more rows are not given'),
});

/** Which tenants' rows a query sees: those of the credential's tenant, or, for the owner of the data directory, all. */
export type SqlScope = 'own-tenant' | 'all-tenants';

/** SQL over what is stored. The answer is an array of objects, streamed; values are exact JSON numbers. */
export function sqlRoute({ sql }: { readonly sql: SqlEngine }, scope: SqlScope): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/sql',
    operationId: 'runSql',
    summary: 'SQL over the latest readings and aggregates',
    roles: scope === 'own-tenant' ? ['customer', 'operator'] : ['operator'],
    body,
    answers: { 200: { description: 'Rows', schema: z.array(z.record(z.string(), z.unknown())) } },
    handle: async ({ principal: { tenant }, body: request, signal }) => {
      const visible = scope === 'own-tenant' ? { tenant } : {};
      const rows = await sql.query({ ...request, ...visible, signal }).catch(asProblem);
      const names = rows.columns.map(({ name }) => JSON.stringify(name));
      return { stream: objects(names, rows), headers: { 'content-type': 'application/json; charset=utf-8' } };
    },
  });
}

async function* objects(names: readonly string[], rows: AsyncIterable<readonly string[]>): AsyncGenerator<string> {
  let text = '[';
  let isFirst = true;
  for await (const cells of rows) {
    text += `${isFirst ? '' : ','}\n{${cells.map((cell, column) => `${names[column] ?? ''}:${cell}`).join(',')}}`;
    isFirst = false;
    if (text.length > 65_536) {
      yield text;
      text = '';
    }
  }
  yield `${text}${isFirst ? '' : '\n'}]`;
}

function asProblem(error: unknown): never {
  if (error instanceof SqlError && error.code === 'sql-busy') {
    throw new Problem('overloaded', error.message, { cause: error, retryAfterSeconds: busyRetryAfterSeconds });
  }
  if (error instanceof SqlError) {
    throw new Problem('unprocessable-content', error.message, { cause: error });
  }
  throw error;
}
