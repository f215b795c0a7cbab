import { seriesSettingsMsMax } from '@meterflow/registry';
import type { ControlPorts } from './ports.ts';
import { clockMs } from './reprocess/reprocess-settings.ts';

/**
 * Resolves once nobody computes by the settings of before a change any more. Not sooner where whoever asked for the change
 * goes away meanwhile: it is durable, and what is told to be computed anew before would come out as it was, for good. Sooner
 * where the signal aborts: nothing may be told then.
 */
export async function settingsSpread(
  { sleep }: Pick<ControlPorts, 'sleep'>,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  await sleep(seriesSettingsMsMax + clockMs, signal);
}
