import type { PlantedBug } from '../planted-bug.ts';

/** Whoever is told to stop gives everything back, also what it has just finished: every rollout makes duplicates. */
export const nackOnDrain: PlantedBug = {
  name: 'nack of finished work on drain',
  story: 'corrections',
  running: (running) => {
    const { source } = running.ports;
    return {
      ...running,
      ports: {
        ...running.ports,
        source: {
          ...source,
          ack: (messages) => (running.signal.aborted ? source.nack(messages, 0) : source.ack(messages)),
        },
      },
    };
  },
};
