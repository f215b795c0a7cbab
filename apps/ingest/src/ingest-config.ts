import { parseConfiguration, publicEnvironment, type ConfiguredProcess, type ServiceConfig } from '@meterflow/service';
import { z } from 'zod';
import { liveBacklogAgeMsMaxDefault, liveBacklogBytesMaxDefault, retentionMarginDays } from './limits.ts';

const positive = z.coerce.number().int().positive();

/** What ingest is told beside what every service is. */
const ingestEnvironment = {
  ...publicEnvironment,
  METERFLOW_READINGS_RETENTION_DAYS: positive
    .min(retentionMarginDays + 1)
    .optional()
    .describe('readings that are older are refused, as their windows are closed; as the tables keep them when absent'),
  METERFLOW_LIVE_BACKLOG_BYTES_MAX: positive
    .default(liveBacklogBytesMaxDefault)
    .describe('pushes are refused while a stage of the live lane has more bytes waiting'),
  METERFLOW_LIVE_BACKLOG_AGE_MS_MAX: positive
    .default(liveBacklogAgeMsMaxDefault)
    .describe('pushes are refused while a stage of the live lane has older messages waiting'),
};

export interface IngestConfig extends ServiceConfig {
  /** Of the API, where it is not on a socket. */
  readonly httpPort: number | undefined;
  readonly readingsRetentionDays: number;
  readonly liveBacklogBytesMax: number;
  readonly liveBacklogAgeMsMax: number;
}

/** Throws ConfigurationError naming every problem. */
export function parseIngestConfig(
  environment: Readonly<Record<string, string | undefined>>,
  made: ConfiguredProcess,
): IngestConfig {
  const { config, own } = parseConfiguration(
    environment,
    { ...made, service: 'ingest' },
    {
      shape: ingestEnvironment,
      problems: ({ METERFLOW_READINGS_RETENTION_DAYS: asked = 0 }, { platform, declared }) => {
        const kept = declared.tables.retentionDays.readings;
        return platform.kind === 'google' && asked > kept
          ? [`✖ METERFLOW_READINGS_RETENTION_DAYS is ${asked}, but the tables keep readings for ${kept} days`]
          : [];
      },
    },
  );
  return {
    ...config,
    httpPort: own.METERFLOW_HTTP_PORT,
    readingsRetentionDays: own.METERFLOW_READINGS_RETENTION_DAYS ?? config.declared.tables.retentionDays.readings,
    liveBacklogBytesMax: own.METERFLOW_LIVE_BACKLOG_BYTES_MAX,
    liveBacklogAgeMsMax: own.METERFLOW_LIVE_BACKLOG_AGE_MS_MAX,
  };
}
