import { Lifecycle, nodeTimers } from '@meterflow/graceful-shutdown';
import { silentTelemetry, StageProgress } from '@meterflow/stage';
import { expect, test } from 'vitest';
import { observeStages, registerTelemetry, type ServiceTelemetry } from './service-telemetry.ts';

function recorder() {
  const told: string[] = [];
  const observers: (() => void)[] = [];
  const telemetry: ServiceTelemetry = {
    ...silentTelemetry,
    gauge: (name, value, labels = {}) => void told.push(`${name} ${Object.values(labels).join()} ${value}`),
    observe: (name) => void told.push(name),
    renderMetrics: () => '',
    onCollect: (observe) => void observers.push(observe),
    close: () => Promise.resolve(void told.push('closed')),
  };
  return {
    told,
    telemetry,
    collect: () => {
      observers.forEach((observe) => {
        observe();
      });
    },
  };
}

test('how long a drain took is told when all else is closed, and what is left is sent after it', async () => {
  const { told, telemetry } = recorder();
  const lifecycle = new Lifecycle({ timers: nodeTimers(), log: telemetry.logger });
  registerTelemetry(lifecycle, telemetry);
  lifecycle.register('store', () => void told.push('store closed'));
  lifecycle.started();
  await lifecycle.drain({ deadlineMs: 1_000, reason: 'test' });
  expect(told).toEqual(['store closed', 'service_drain_duration_ms', 'closed']);
});

test('what each stage has in work is looked up when it is asked for', () => {
  const { told, telemetry, collect } = recorder();
  const progress = new StageProgress();
  const stage = { name: 'echo on echo.live', subscription: 'echo.live', run: () => Promise.resolve() };
  observeStages([stage], [progress], telemetry);
  collect();
  progress.begin(3, 0);
  collect();
  expect(told).toEqual(['stage_messages_in_flight echo.live 0', 'stage_messages_in_flight echo.live 3']);
});
