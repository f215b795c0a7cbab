export { DuckWarehouse } from './duck-warehouse.ts';
export { FakeBigQuery } from './fake-bigquery.ts';
export { startZetasql, type SqlCatalog, type Zetasql } from './zetasql.ts';
