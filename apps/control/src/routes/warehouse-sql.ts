import { defineRoute, Problem, type Route } from '@meterflow/http';
import { z } from 'zod';

/**
 * On Google, SQL is BigQuery's: who may see which tenant's rows is decided there, by rights and row access policies, and
 * no query of a customer passes through us. The route says so, and where.
 */
export function warehouseSqlRoute(
  warehouse: { readonly projectId: string; readonly dataset: string } | undefined,
): Route {
  const place =
    warehouse === undefined
      ? 'This system has no warehouse: declare `warehouse` in its platform file, run `npm run provision`, and deploy ' +
        'persistence with METERFLOW_SINK=bigquery.'
      : `Query the views readings, readings_raw and aggregates of \`${warehouse.projectId}.${warehouse.dataset}\` there, ` +
        `as with: bq query --nouse_legacy_sql 'select * from \`${warehouse.projectId}.${warehouse.dataset}.readings\` limit 9'`;
  return defineRoute({
    method: 'POST',
    path: '/v1/sql',
    operationId: 'runSql',
    summary: 'Says where SQL is to be had: on Google that is BigQuery',
    roles: ['customer', 'operator'],
    body: z.object({ sql: z.string() }),
    answers: { 200: { description: 'Never' } },
    handle: () =>
      Promise.reject(
        new Problem(
          'unprocessable-content',
          `On Google, SQL runs in BigQuery. ${place} Single series are at GET /v1/readings and /v1/aggregates.`,
        ),
      ),
  });
}
