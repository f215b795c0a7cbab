import { readPlatform } from '@meterflow/platform';
import { ConfigurationError, groundConfig, type GroundConfig, type PlatformFile } from '@meterflow/service';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Which system it is about: options that stand for variables. */
export const groundOptions = {
  file: { type: 'string' },
  project: { type: 'string' },
  instance: { type: 'string' },
} as const;

export interface GroundValues {
  readonly file?: string | undefined;
  readonly project?: string | undefined;
  readonly instance?: string | undefined;
}

/** Throws ConfigurationError naming all that is missing or wrong. */
export function groundOf(
  { file, project, instance }: GroundValues,
  environment: Environment,
): { readonly config: GroundConfig; readonly declared: PlatformFile } {
  const projectId = project ?? environment['METERFLOW_GOOGLE_PROJECT'];
  const instanceId = instance ?? environment['METERFLOW_BIGTABLE_INSTANCE'];
  if (projectId === undefined || instanceId === undefined) {
    const missing = [
      ...(projectId === undefined ? ['--project or METERFLOW_GOOGLE_PROJECT is needed'] : []),
      ...(instanceId === undefined ? ['--instance or METERFLOW_BIGTABLE_INSTANCE is needed'] : []),
    ];
    throw new ConfigurationError(missing.join('\n'));
  }
  const declared = readPlatform({ ...environment, ...(file === undefined ? {} : { METERFLOW_PLATFORM_FILE: file }) });
  return { config: groundConfig({ projectId, instance: instanceId }, declared, environment), declared };
}
