import { decodeStoredNotice } from '@meterflow/contracts';
import { ToldSince } from '@meterflow/registry';
import type { OutgoingMessage } from '@meterflow/stage';
import { withPorts, type PlantedBug } from '../planted-bug.ts';
import { timeZone } from '../workload.ts';
import type { CrashPorts } from '../world.ts';

/** It is written down since when a series is told before that is told: ended in between, days of which nothing came are lost. */
export const toldSinceBeforeTold: PlantedBug = {
  name: 'told since, before it is told',
  story: 'ruleLife',
  ports: (ports, stage) => (stage === 'series-flows' ? withPorts(ports, { publisher: tooEarly(ports) }) : ports),
};

function tooEarly({ publisher, registry }: CrashPorts): CrashPorts['publisher'] {
  const toldSince = new ToldSince(registry);
  return {
    publish: async (messages: readonly OutgoingMessage[]) => {
      for (const { payload } of messages.filter(({ topic }) => topic.startsWith('days.due'))) {
        const { tenant, touched } = decodeStoredNotice(payload);
        await toldSince.lower(
          touched.series.map((series, index) => ({
            ...{ tenant, series, timeZone },
            sinceMs: Math.min(...touched.fromMs.filter((_, row) => touched.index[row] === index)),
          })),
        );
      }
      await publisher.publish(messages);
    },
  };
}
