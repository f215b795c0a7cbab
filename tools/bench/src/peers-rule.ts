import { Activations, Reprocesses, type Registry } from '@meterflow/registry';
import { convertUnit, flagRange, flowOf } from '@meterflow/rules';

/** kWh × 1000 as Wh; flag below 0 and above 10 kWh. */
export async function activatePeersRule(registry: Registry): Promise<void> {
  const activations = new Activations({ registry, nowMs: Date.now, activationLeaseMs: 0 });
  const flow = flowOf('spine', [
    { rule: convertUnit, parameters: { factor: 1000, unit: 'Wh' } },
    { rule: flagRange, parameters: { below: 0, above: 10_000, quality: 'estimated' } },
  ]);
  const { number } = await activations.create('default', { flow, fromMs: 0, toMs: 8.64e15, decimals: 6 });
  // Nothing is stored that it could change: else what is measured would be computed twice.
  await new Reprocesses({ registry, nowMs: Date.now }).raiseMark('default', number);
}
