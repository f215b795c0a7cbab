import type { Registry } from '@meterflow/registry';
import type { CrashPorts } from '../world.ts';
import { withPorts, type PlantedBug } from '../planted-bug.ts';

/** A series flow takes the activation that it knows already for the newest. */
export const cachedActivation: PlantedBug = {
  name: 'series flow: newest activation from a cache',
  story: 'ruleLife',
  ports: (ports, stage) => (stage === 'series-flows' ? withPorts(ports, { registry: remembering(ports) }) : ports),
};

/** It asks again after so many answers of its own. */
const usesMax = 12;

function remembering({ registry }: CrashPorts): Registry {
  const known = new Map<string, { readonly answer: ReturnType<Registry['list']>; uses: number }>();
  const list: Registry['list'] = (kind, page) => {
    const cached = known.get(page.prefix);
    if (kind === 'activation' && cached !== undefined && cached.uses < usesMax) {
      cached.uses += 1;
      return cached.answer;
    }
    const answer = registry.list(kind, page);
    if (kind === 'activation') {
      known.set(page.prefix, { answer, uses: 0 });
    }
    return answer;
  };
  return withPorts(registry, { list });
}
