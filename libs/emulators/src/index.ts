export { findPart, MissingPartError, requirePart, skippedWithout, type Part, type PartName } from './find-part.ts';
export { freePort } from './free-port.ts';
export { startBigtableEmulator, startPubsubEmulator } from './google-emulators.ts';
export { askRedis } from './redis-command.ts';
export { startRedis, startRedisCluster, type RunningRedisCluster } from './redis.ts';
export type { RunningPart, StartOptions } from './running-part.ts';
