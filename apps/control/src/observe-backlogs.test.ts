import { silentTelemetry } from '@meterflow/stage';
import { expect, test } from 'vitest';
import { observeBacklogs } from './observe-backlogs.ts';

test('a backlog is as old as its oldest message, and an empty one has no age', () => {
  const gauges: unknown[] = [];
  const telemetry = {
    ...silentTelemetry,
    gauge: (name: string, value: number, { subscription }: Readonly<Record<string, string>> = {}): void => {
      gauges.push([name, subscription, value]);
    },
  };
  const backlogs = [
    { subscription: 'a', messages: 2, bytes: 7, oldestPublishedAtMs: 1_000 },
    { subscription: 'b', messages: 0, bytes: 0, oldestPublishedAtMs: undefined },
    { subscription: 'c', messages: 1, bytes: 1, oldestPublishedAtMs: 5_000 },
  ];
  observeBacklogs(backlogs, telemetry, 4_000);
  expect(gauges).toEqual([
    ['bus_backlog_messages', 'a', 2],
    ['bus_backlog_bytes', 'a', 7],
    ['bus_backlog_age_ms', 'a', 3_000],
    ['bus_backlog_messages', 'b', 0],
    ['bus_backlog_bytes', 'b', 0],
    ['bus_backlog_age_ms', 'b', 0],
    ['bus_backlog_messages', 'c', 1],
    ['bus_backlog_bytes', 'c', 1],
    ['bus_backlog_age_ms', 'c', 0],
  ]);
});
