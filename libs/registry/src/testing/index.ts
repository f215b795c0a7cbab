export { describeRegistry, type RegistryAdapter } from './describe-registry.ts';
export { MemoryRegistry } from './memory-registry.ts';
