import type { RegistryAdapter } from './describe-registry.ts';
import { describeRegistry } from './describe-registry.ts';
import { MemoryRegistry } from './memory-registry.ts';

describeRegistry('the registry in memory', (): Promise<RegistryAdapter> => {
  const registry = new MemoryRegistry();
  return Promise.resolve({ open: () => registry, close: () => Promise.resolve() });
});
