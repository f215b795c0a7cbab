import { silentTelemetry, type Telemetry } from '@meterflow/stage';
import { expect, test } from 'vitest';
import { observeSandbox } from './observe-sandbox.ts';

test('an incident is counted by its kind, and what the kernel does not keep shows', () => {
  const told: unknown[] = [];
  const tell = (...what: unknown[]): void => {
    told.push(what);
  };
  const telemetry: Telemetry = { ...silentTelemetry, count: tell, gauge: tell };
  const { onIncident, onIsolation } = observeSandbox(telemetry);
  onIncident({ kind: 'rule-quarantined', message: 'a rule of acme killed its process' });
  onIsolation(undefined);
  expect(told).toEqual([
    ['sandbox_incidents_total', 1, { kind: 'rule-quarantined' }],
    ['sandbox_isolation_now', 0, { kept: 'network' }],
    ['sandbox_isolation_now', 0, { kept: 'files' }],
    ['sandbox_isolation_now', 0, { kept: 'privileges' }],
  ]);
});
