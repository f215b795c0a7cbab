export { backUp, type BackUpRequest } from './backup/back-up.ts';
export type { Manifest } from './backup/manifest.ts';
export { restore, type Restored, type RestoreRequest } from './backup/restore.ts';
export { erasablePlaces } from './erase/erasable-places.ts';
export { EmbeddedSources, type EmbeddedSourcesOptions } from './state/sources.ts';
export { openDeadLetters, type DeadLetters } from './bus/dead-letters.ts';
export type { DeadLetterLine, DeadLetterQuery, RetryOptions } from '@meterflow/stage';
export type { SubscriptionDeclaration, SubscriptionStart } from './bus/declare.ts';
export { openDeduper, type DeduperOptions, type EmbeddedDeduper } from './bus/deduper.ts';
export { openBus, type BusOptions, type BusTopology, type EmbeddedBus } from './bus/embedded-bus.ts';
export type { Replay } from './bus/replay.ts';
export type { Retention } from './bus/trim.ts';
export { dataDirectory, type DataDirectory } from './data-directory.ts';
export { DirectoryInUseError, lockDirectory, runningServer, type DirectoryLock, type RunningServer } from './lock.ts';
export { EmbeddedPlatform, openEmbeddedPlatform, type PlatformOptions } from './open-platform.ts';
export { exportCanonical, type CanonicalExport } from './export/export-canonical.ts';
export { openSqlEngine } from './sql/open-sql-engine.ts';
export {
  decimalInteger,
  parquetDecimals,
  parquetRows,
  type ParquetCell,
  type ParquetColumn,
  type ParquetRow,
} from './sql/parquet-rows.ts';
export { runSql } from './sql/run-sql.ts';
export type { SqlColumn, SqlEngine, SqlEngineOptions, SqlRequest, SqlRows } from './sql/sql-engine.ts';
export { SqlError, type SqlErrorCode } from './sql/sql-error.ts';
