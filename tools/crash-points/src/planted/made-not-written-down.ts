import type { Registry } from '@meterflow/registry';
import { withPorts, type PlantedBug } from '../planted-bug.ts';

/** What a series flow makes is not written down: what is still on its way when a later run withdraws the rest stays for ever. */
export const madeNotWrittenDown: PlantedBug = {
  name: 'made, and not written down',
  story: 'ruleLife',
  ports: (ports, stage) =>
    stage === 'series-flows' || stage === 'days-due'
      ? withPorts(ports, { registry: forgetful(ports.registry) })
      : ports,
};

/** A registry in which nothing stands of what was made. */
export function forgetful(registry: Registry): Registry {
  return withPorts(registry, {
    get: (kind, name) => (name.includes('/days-made/') ? Promise.resolve(undefined) : registry.get(kind, name)),
    putAll: (kind, changes) =>
      changes.some(({ name }) => name.includes('/days-made/'))
        ? Promise.resolve(changes.map(({ expectedRevision }) => expectedRevision + 1))
        : registry.putAll(kind, changes),
  });
}
