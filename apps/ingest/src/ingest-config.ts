import { parseEnvironment, parseServiceConfig, serviceEnvironment, type ServiceConfig } from '@meterflow/service';
import { z } from 'zod';
import { liveBacklogAgeMsMaxDefault, liveBacklogBytesMaxDefault, retentionMarginDays } from './limits.ts';

/** Twenty years: longer than any provider corrects, and the public samples of 2012 are still taken. */
const retentionDaysDefault = 7_305;
const positive = z.coerce.number().int().positive();

/** What ingest is told beside what every service is. */
export const ingestEnvironment = {
  METERFLOW_READINGS_RETENTION_DAYS: positive
    .min(retentionMarginDays + 1)
    .default(retentionDaysDefault)
    .describe('readings that are older are refused, as their windows are closed'),
  METERFLOW_LIVE_BACKLOG_BYTES_MAX: positive
    .default(liveBacklogBytesMaxDefault)
    .describe('pushes are refused while a stage of the live lane has more bytes waiting'),
  METERFLOW_LIVE_BACKLOG_AGE_MS_MAX: positive
    .default(liveBacklogAgeMsMaxDefault)
    .describe('pushes are refused while a stage of the live lane has older messages waiting'),
};

export interface IngestConfig extends ServiceConfig {
  readonly readingsRetentionDays: number;
  readonly liveBacklogBytesMax: number;
  readonly liveBacklogAgeMsMax: number;
}

/** Throws ConfigurationError naming every problem. */
export function parseIngestConfig(
  environment: Readonly<Record<string, string | undefined>>,
  made: { readonly pid: number },
): IngestConfig {
  const parsed = parseEnvironment({ ...serviceEnvironment, ...ingestEnvironment }, environment);
  const shared = Object.fromEntries(
    Object.entries(environment).filter(([name]) => !Object.hasOwn(ingestEnvironment, name)),
  );
  return {
    ...parseServiceConfig(shared, { service: 'ingest', pid: made.pid }),
    readingsRetentionDays: parsed.METERFLOW_READINGS_RETENTION_DAYS,
    liveBacklogBytesMax: parsed.METERFLOW_LIVE_BACKLOG_BYTES_MAX,
    liveBacklogAgeMsMax: parsed.METERFLOW_LIVE_BACKLOG_AGE_MS_MAX,
  };
}
