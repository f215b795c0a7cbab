import { z } from 'zod';

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
    readonly tablePrefix?: string;
    /** `host:port` */
    readonly emulator?: string;
  };
  readonly pubsub: {
    /** `host:port` */
    readonly emulator?: string;
  };
  readonly redis: { readonly urls: readonly [string, ...string[]]; readonly isCluster: boolean };
}

/** The variables that choose the platform. Those of `google` are refused without it: they would be silently unused. */
export const platformEnvironment = {
  METERFLOW_PLATFORM: z.enum(['embedded', 'google']).default('embedded').describe('what the service stands on'),
  METERFLOW_GOOGLE_PROJECT: z.string().min(1).optional().describe('project of Pub/Sub and Bigtable'),
  METERFLOW_BIGTABLE_INSTANCE: z.string().min(1).optional(),
  METERFLOW_BIGTABLE_APP_PROFILE: z.string().min(1).optional().describe('one with single-cluster routing'),
  METERFLOW_BIGTABLE_TABLE_PREFIX: z.string().max(20).optional().describe('several systems in one instance'),
  METERFLOW_REDIS_URLS: z
    .string()
    .min(1)
    .optional()
    .transform((text) => text?.split(','))
    .pipe(z.tuple([z.url()], z.url()).optional())
    .describe('redis:// or rediss:// addresses, separated by commas; of a cluster any of its nodes'),
  METERFLOW_REDIS_CLUSTER: z.stringbool().optional(),
};

type PlatformVariables = z.infer<z.ZodObject<typeof platformEnvironment>>;

/** What Google's own tools and clients name an emulator by. */
interface EmulatorVariables {
  readonly BIGTABLE_EMULATOR_HOST?: string | undefined;
  readonly PUBSUB_EMULATOR_HOST?: string | undefined;
}

/** The names of the variables that are missing or of no use, with what to do; empty when they fit. */
export function platformProblems(variables: PlatformVariables): readonly string[] {
  const { METERFLOW_PLATFORM: kind } = variables;
  const needed = ['METERFLOW_GOOGLE_PROJECT', 'METERFLOW_BIGTABLE_INSTANCE', 'METERFLOW_REDIS_URLS'] as const;
  const optional = [
    'METERFLOW_BIGTABLE_APP_PROFILE',
    'METERFLOW_BIGTABLE_TABLE_PREFIX',
    'METERFLOW_REDIS_CLUSTER',
  ] as const;
  return kind === 'google'
    ? needed.filter((name) => variables[name] === undefined).map((name) => `${name} is needed on google`)
    : [...needed, ...optional]
        .filter((name) => variables[name] !== undefined)
        .map((name) => `${name} is of no use without METERFLOW_PLATFORM=google`);
}

/** Of variables without {@link platformProblems}. */
export function platformConfig(variables: PlatformVariables, emulators: EmulatorVariables): PlatformConfig {
  if (variables.METERFLOW_PLATFORM === 'embedded') {
    return { kind: 'embedded' };
  }
  const { METERFLOW_BIGTABLE_APP_PROFILE: appProfile, METERFLOW_BIGTABLE_TABLE_PREFIX: tablePrefix } = variables;
  const { BIGTABLE_EMULATOR_HOST: bigtable, PUBSUB_EMULATOR_HOST: pubsub } = emulators;
  return {
    kind: 'google',
    projectId: variables.METERFLOW_GOOGLE_PROJECT as string,
    bigtable: {
      instance: variables.METERFLOW_BIGTABLE_INSTANCE as string,
      ...(appProfile === undefined ? {} : { appProfile }),
      ...(tablePrefix === undefined ? {} : { tablePrefix }),
      ...(bigtable === undefined ? {} : { emulator: bigtable }),
    },
    pubsub: pubsub === undefined ? {} : { emulator: pubsub },
    redis: {
      urls: variables.METERFLOW_REDIS_URLS as [string, ...string[]],
      isCluster: variables.METERFLOW_REDIS_CLUSTER ?? false,
    },
  };
}
