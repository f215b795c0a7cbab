export { openRedis, type RedisOptions, type RedisStore } from './open-redis.ts';
