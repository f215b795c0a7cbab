export type { EmbeddedConfig, GoogleConfig, PlatformConfig } from './platform-config.ts';
export type { Platform, SubscriptionBacklog } from './platform.ts';
export { runService, type ServiceOptions } from './run-service.ts';
export { noSink, stageRun, type StageRun, type StageRunOptions } from './stage-run.ts';
export type { ServiceProbe, ServiceTelemetry } from './service-telemetry.ts';
export {
  ConfigurationError,
  operationsSocket,
  parseEnvironment,
  parseServiceConfig,
  serviceEnvironment,
  type ServiceConfig,
} from './service-config.ts';
