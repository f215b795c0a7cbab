import type { Telemetry } from '@meterflow/stage';

export interface ObservedBacklog {
  readonly subscription: string;
  readonly messages: number;
  readonly bytes: number;
  readonly oldestPublishedAtMs: number | undefined;
}

/** What waits on each subscription, and how long its oldest message has. */
export function observeBacklogs(backlogs: readonly ObservedBacklog[], telemetry: Telemetry, nowMs: number): void {
  for (const { subscription, messages, bytes, oldestPublishedAtMs } of backlogs) {
    telemetry.gauge('bus_backlog_messages', messages, { subscription });
    telemetry.gauge('bus_backlog_bytes', bytes, { subscription });
    const ageMs = oldestPublishedAtMs === undefined ? 0 : Math.max(0, nowMs - oldestPublishedAtMs);
    telemetry.gauge('bus_backlog_age_ms', ageMs, { subscription });
  }
}
