import type { StagePorts } from '@meterflow/stage';
import type { PlantedBug } from '../planted-bug.ts';

/** Whoever is told to stop gives everything back, also what it has just finished: every rollout makes duplicates. */
export const nackOnDrain: PlantedBug = {
  name: 'nack of finished work on drain',
  stagePorts: <Write>(ports: StagePorts<Write>, { signal }: { readonly signal: AbortSignal }) => ({
    ...ports,
    source: {
      ...ports.source,
      ack: (messages) => (signal.aborted ? ports.source.nack(messages, 0) : ports.source.ack(messages)),
    },
  }),
};
