export { dedupeKey, type Claim, type Deduper } from './deduper.ts';
