export { DuckWarehouse } from './duck-warehouse.ts';
export { startZetasql, type SqlCatalog, type Zetasql } from './zetasql.ts';
