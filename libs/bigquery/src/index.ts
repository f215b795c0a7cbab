export type { WarehouseLocation } from './api.ts';
export type { WarehouseErasure } from './erasure.ts';
export { warehouseLeases, warehouseLimits, warehouseStageLimits, type WarehouseLimits } from './limits.ts';
export { openWarehouse, type Warehouse, type WarehouseOptions } from './open-warehouse.ts';
export type { Drift } from './provision.ts';
export { warehouseTables, type ColumnType, type TableColumn, type TableSchema } from './schema.ts';
export { definitions as warehouseDefinitions, type Definition } from './sql/statements.ts';
