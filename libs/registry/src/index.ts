export { registryKinds, RevisionConflictError, type Registry, type RegistryEntry, type RegistryKind } from './registry.ts';
