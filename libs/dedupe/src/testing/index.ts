export { describeDeduper, type DeduperUnderTest } from './describe-deduper.ts';
