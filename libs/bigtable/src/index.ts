export { backupLines, restoreLines } from './backup/row-lines.ts';
export { bigtableSchema, retentionDaysDefault } from './schema.ts';
export type { Compacted, CompactionSpan, CompactionTable } from './readings/compact.ts';
export type { FamilyDeclaration, GarbageCollection, RetentionDays, TableDeclaration } from './schema.ts';
export { openBigtable, type BigtableOptions, type BigtableStores } from './open-stores.ts';
export type { Drift } from './provision.ts';
export type { RowChange, Table } from './client/table.ts';
export { CompactionRounds, compactionLimits, type CompactionLimits } from './readings/compaction-rounds.ts';
export type { Mutation } from './wire/mutations.ts';
