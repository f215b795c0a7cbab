export { ConfigurationError } from './configuration-error.ts';
export {
  eraseEverywhere,
  type DroppedFiles,
  type ErasablePlaces,
  type ErasureProof,
  type ErasureRequest,
  type KeptMessages,
  type PlacesErased,
} from './erase-everywhere.ts';
export { eraseAgain, knownErasures } from './erasures.ts';
export type { StoredDay, StoredDays } from './groups-of-erased.ts';
export {
  groundConfig,
  type EmbeddedConfig,
  type GoogleConfig,
  type GroundConfig,
  type GroundNames,
  type PlatformConfig,
} from './platform-config.ts';
export { builtInPlatform, parsePlatformFile, platformJsonSchema, type PlatformFile } from './platform-file.ts';
export type { Platform, PlatformLimits, SubscriptionBacklog, Waiting } from './platform.ts';
export { publicAddress, publicEnvironment } from './public-address.ts';
export { runService, type ServiceOptions } from './run-service.ts';
export { downstreamAgeMsMax, WatchedDownstream } from './watched-downstream.ts';
export { noSink, stageRun, type StageRun, type StageRunOptions } from './stage-run.ts';
export type { ServiceProbe, ServiceTelemetry } from './service-telemetry.ts';
export {
  declaredBy,
  operationsSocket,
  parseConfiguration,
  parseEnvironment,
  parseServiceConfig,
  serviceEnvironment,
  type ConfiguredProcess,
  type OwnVariables,
  type ServiceConfig,
} from './service-config.ts';
