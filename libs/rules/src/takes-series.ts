import type { SeriesName } from '@meterflow/readings';
import { matchesChannel } from './channel-glob.ts';
import type { FlowStep } from './flow.ts';
import { hasMeter } from './meter-share.ts';

/** Whether a step runs on a series: its channel fits the glob, and its meter is in the share. As the sandbox decides it. */
export function takesSeries({ channels, share }: Pick<FlowStep, 'channels' | 'share'>, series: SeriesName): boolean {
  return matchesChannel(channels, series.channel) && (share === undefined || hasMeter(share, series.meter));
}
