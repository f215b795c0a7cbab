export { dedupeKey, type Claim, type Deduper } from './deduper.ts';
export { MemoryDeduper, type MemoryDeduperOptions } from './memory-deduper.ts';
