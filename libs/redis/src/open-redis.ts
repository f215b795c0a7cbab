import type { ConnectionOptions } from 'node:tls';
import type { Deduper } from '@meterflow/dedupe';
import type { Clock, Telemetry } from '@meterflow/stage';
import { Cluster, Redis, type CommonRedisOptions } from 'ioredis';
import { RedisAges } from './redis-ages.ts';
import { RedisDeduper } from './redis-deduper.ts';
import { RedisLink } from './redis-link.ts';

export interface RedisOptions {
  /** `redis://[user:password@]host[:port][/database]`, `rediss://` with TLS; of a cluster any of its nodes. */
  readonly urls: readonly [string, ...string[]];
  readonly isCluster: boolean;
  /** PEM of who signed the server's certificate, where the system does not know it. */
  readonly certificateAuthority?: string;
  readonly telemetry: Telemetry;
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly callMsMax?: number;
}

/** A connection to Redis that is there when Redis is not: it comes back by itself. */
export interface RedisStore {
  /** For every subscription. */
  readonly deduper: Deduper;
  /** Of what the processes of each subscription have in hand. */
  readonly ages: RedisAges;
  close(): Promise<void>;
}

/** Far above what a call takes (1 ms), far below an ack deadline. */
const callMsMaxDefault = 1_000;
const connectMsMax = 2_000;
/** A connection on which an answer is overdue for so long is cut and made anew: nobody may be at its other end. */
const silenceMsMax = 5_000;
const retryMs = 100;
const retryMsMax = 5_000;
const closeMsMax = 500;
/** A slot that moves is followed so often within one call. */
const redirectionsMax = 4;

/** Connects in the background; the first call waits for it, no longer than `connectMsMax`. */
export function openRedis(options: RedisOptions): RedisStore {
  const { isCluster, telemetry, clock, random } = options;
  const client = isCluster ? openCluster(options) : openServer(options);
  // What fails is told by the calls that fail.
  client.on('error', () => undefined);
  const opened = Promise.withResolvers<undefined>();
  for (const event of ['ready', 'error', 'end']) {
    client.once(event, () => {
      opened.resolve(undefined);
    });
  }
  const link = new RedisLink(client, {
    isCluster,
    telemetry,
    nowMs: () => clock.nowMs(),
    random,
    callMsMax: options.callMsMax ?? callMsMaxDefault,
    retryMs,
    retryMsMax,
    opened: Promise.race([opened.promise, clock.sleep(connectMsMax)]),
  });
  return {
    deduper: new RedisDeduper(link, () => clock.nowMs()),
    ages: new RedisAges(link),
    close: async () => {
      const ended = new AbortController();
      await Promise.race([client.quit().catch(() => undefined), clock.sleep(closeMsMax, ended.signal)]);
      ended.abort();
      client.disconnect();
    },
  };
}

function openServer(options: RedisOptions): Redis {
  const [url] = options.urls;
  return new Redis({
    ...clientOptions(options),
    ...address(url),
    db: Number(new URL(url).pathname.slice(1)),
    enableOfflineQueue: false,
    retryStrategy: (attempt) => reconnectMs(attempt, options.random),
    // After a failover the old address may be a replica's: look the name up anew.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
}

function openCluster(options: RedisOptions): Cluster {
  return new Cluster(options.urls.map(address), {
    enableOfflineQueue: false,
    maxRedirections: redirectionsMax,
    slotsRefreshTimeout: connectMsMax,
    clusterRetryStrategy: (attempt) => reconnectMs(attempt, options.random),
    redisOptions: clientOptions(options),
  });
}

/** Nothing is queued or sent again: a claim that arrives after its work is done would only hold up its duplicates. */
function clientOptions({
  urls,
  certificateAuthority,
}: RedisOptions): CommonRedisOptions & { tls?: ConnectionOptions; replyMapping: 'legacy' } {
  const { protocol, username, password } = new URL(urls[0]);
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: certificateAuthority === undefined ? {} : { ca: certificateAuthority } } : {}),
    connectTimeout: connectMsMax,
    socketTimeout: silenceMsMax,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectionName: 'meterflow',
    replyMapping: 'legacy',
  };
}

function address(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  // An address of IPv6 stands in brackets there, and nowhere else.
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? 6379 : Number(port) };
}

/** Half of it is chance, so that a server that comes back is not run over by all processes at once. */
function reconnectMs(attempt: number, random: () => number): number {
  return Math.min(retryMsMax, retryMs * 2 ** Math.min(attempt - 1, 30)) * (0.5 + random() / 2);
}
