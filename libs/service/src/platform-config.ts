import { z } from 'zod';
import { ConfigurationError } from './configuration-error.ts';
import type { PlatformFile } from './platform-file.ts';

/** Which adapters a service stands on; see {@link platformEnvironment}. */
export type PlatformConfig = EmbeddedConfig | GoogleConfig;

export interface EmbeddedConfig {
  readonly kind: 'embedded';
}

export interface GoogleConfig {
  readonly kind: 'google';
  readonly projectId: string;
  readonly bigtable: {
    readonly instance: string;
    readonly appProfile?: string;
    readonly tablePrefix: string;
    /** `host:port` */
    readonly emulator?: string;
  };
  readonly pubsub: {
    readonly ackDeadlineMs: number;
    /** So long a topic and a subscription keep messages, also settled ones. */
    readonly retentionMs: number;
    /** What a source may hold, where its stage works in large groups. */
    readonly limits?: { readonly leasesMax: number; readonly leasedBytesMax: number; readonly finishMs: number };
    /** `host:port` */
    readonly emulator?: string;
  };
  /** BigQuery, where there is a warehouse. */
  readonly warehouse?: {
    readonly dataset: string;
    readonly location: string;
    /** `host:port` */
    readonly emulator?: string;
  };
  readonly redis: {
    readonly urls: readonly [string, ...string[]];
    readonly isCluster: boolean;
    /** PEM of who signed the servers' certificates, where the system does not know it. */
    readonly certificateAuthority?: string;
  };
}

const redisUrl = z.url({ protocol: /^rediss?$/, error: 'addresses that begin with redis:// or rediss://' });

/** The variables that choose the platform. Those of `google` are refused without it: they would be silently unused. */
export const platformEnvironment = {
  METERFLOW_PLATFORM: z.enum(['embedded', 'google']).default('embedded').describe('what the service stands on'),
  METERFLOW_PLATFORM_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('lanes, deadlines and retentions of the system; what is built in when absent'),
  METERFLOW_GOOGLE_PROJECT: z.string().min(1).optional().describe('project of Pub/Sub, Bigtable and BigQuery'),
  METERFLOW_BIGTABLE_INSTANCE: z.string().min(1).optional(),
  METERFLOW_BIGTABLE_APP_PROFILE: z.string().min(1).optional().describe('one with single-cluster routing'),
  METERFLOW_REDIS_URLS: z
    .string()
    .min(1)
    .optional()
    .transform((text) => text?.split(','))
    .pipe(z.tuple([redisUrl], redisUrl).refine(sameProtocol, 'all of them redis:// or all rediss://').optional())
    .describe('redis:// or rediss:// addresses, separated by commas; of a cluster any of its nodes; IPv6 in brackets'),
  METERFLOW_REDIS_CLUSTER: z.stringbool().optional(),
  METERFLOW_REDIS_CA_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('PEM of who signed the certificates of rediss:// addresses, where the system does not know it'),
};

/** Of a cluster all nodes are spoken to alike: one that is not encrypted would go unnoticed. */
function sameProtocol(urls: readonly string[]): boolean {
  return new Set(urls.map((url) => url.split(':', 1)[0])).size === 1;
}

type PlatformVariables = z.infer<z.ZodObject<typeof platformEnvironment>>;
type Environment = Readonly<Record<string, string | undefined>>;

/** What a system on Google needs to be told, and what it may be told beside. */
const neededOnGoogle = ['METERFLOW_GOOGLE_PROJECT', 'METERFLOW_BIGTABLE_INSTANCE', 'METERFLOW_REDIS_URLS'] as const;
const optionalOnGoogle = [
  'METERFLOW_BIGTABLE_APP_PROFILE',
  'METERFLOW_REDIS_CLUSTER',
  'METERFLOW_REDIS_CA_FILE',
] as const;

/** The names of the variables that are missing or of no use, with what to do; empty when they fit. */
export function platformProblems(environment: Environment): readonly string[] {
  return environment['METERFLOW_PLATFORM'] === 'google'
    ? neededOnGoogle
        .filter((name) => environment[name] === undefined)
        .map((name) => `✖ ${name} is needed with METERFLOW_PLATFORM=google`)
    : [...neededOnGoogle, ...optionalOnGoogle]
        .filter((name) => environment[name] !== undefined)
        .map((name) => `✖ ${name} is of no use without METERFLOW_PLATFORM=google`);
}

/** Of variables without {@link platformProblems}. `environment` names the emulators, as Google's own tools do. */
export function platformConfig(
  variables: PlatformVariables,
  declared: PlatformFile,
  { environment, readText }: { readonly environment: Environment; readonly readText: (path: string) => string },
): PlatformConfig {
  if (variables.METERFLOW_PLATFORM === 'embedded') {
    return { kind: 'embedded' };
  }
  return {
    ...groundConfig(
      {
        projectId: variables.METERFLOW_GOOGLE_PROJECT as string,
        instance: variables.METERFLOW_BIGTABLE_INSTANCE as string,
        appProfile: variables.METERFLOW_BIGTABLE_APP_PROFILE,
      },
      declared,
      environment,
    ),
    redis: {
      urls: variables.METERFLOW_REDIS_URLS as [string, ...string[]],
      isCluster: variables.METERFLOW_REDIS_CLUSTER ?? false,
      ...certificateAuthority(variables, readText),
    },
  };
}

/** Throws ConfigurationError where the file is none of certificates: connections would fail one by one later. */
function certificateAuthority(
  { METERFLOW_REDIS_CA_FILE: path, METERFLOW_REDIS_URLS: urls }: PlatformVariables,
  readText: (path: string) => string,
): { readonly certificateAuthority?: string } {
  if (path === undefined) {
    return {};
  }
  if (urls?.[0].startsWith('rediss:') !== true) {
    throw new ConfigurationError('✖ METERFLOW_REDIS_CA_FILE is of no use without rediss:// in METERFLOW_REDIS_URLS');
  }
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    throw new ConfigurationError(`✖ METERFLOW_REDIS_CA_FILE can't be read: ${(error as Error).message}`);
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new ConfigurationError(`✖ METERFLOW_REDIS_CA_FILE: ${path} holds no certificate in PEM`);
  }
  return { certificateAuthority: text };
}

/** What is provisioned: everything but Redis, in which nothing has to be there. */
export type GroundConfig = Omit<GoogleConfig, 'redis'>;

export interface GroundNames {
  readonly projectId: string;
  readonly instance: string;
  readonly appProfile?: string | undefined;
}

export function groundConfig(
  { projectId, instance, appProfile }: GroundNames,
  { messages, tables, warehouse }: PlatformFile,
  environment: Environment,
): GroundConfig {
  return {
    kind: 'google',
    projectId,
    bigtable: {
      instance,
      ...(appProfile === undefined ? {} : { appProfile }),
      tablePrefix: tables.prefix,
      ...emulatorOf(environment['BIGTABLE_EMULATOR_HOST']),
    },
    pubsub: {
      ackDeadlineMs: messages.ackDeadlineSeconds * 1_000,
      retentionMs: messages.retentionDays * dayMs,
      ...emulatorOf(environment['PUBSUB_EMULATOR_HOST']),
    },
    ...(warehouse === undefined
      ? {}
      : { warehouse: { ...warehouse, ...emulatorOf(environment['BIGQUERY_EMULATOR_HOST']) } }),
  };
}

const dayMs = 24 * 60 * 60 * 1_000;

function emulatorOf(address: string | undefined): { readonly emulator?: string } {
  return address === undefined ? {} : { emulator: address };
}
