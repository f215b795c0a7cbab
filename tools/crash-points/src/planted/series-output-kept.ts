import type { CrashPorts } from '../world.ts';
import { withPorts, type PlantedBug } from '../planted-bug.ts';
import { forgetful } from './made-not-written-down.ts';

/** What a rule filled or made before is not looked for: what it no longer gives stays for ever. */
export const seriesOutputKept: PlantedBug = {
  name: 'series output that is not withdrawn',
  story: 'ruleLife',
  ports: (ports, stage) =>
    stage === 'series-flows'
      ? withPorts(ports, { readings: rawAlone(ports), registry: forgetful(ports.registry) })
      : ports,
};

function rawAlone(ports: CrashPorts): CrashPorts['readings'] {
  return (layer) => {
    const store = ports.readings(layer);
    return layer === 'raw' ? store : withPorts(store, { read: () => Promise.resolve([]) });
  };
}
