export { batchHeader, batchOf, epochMs, hourMs, plainReading, type PlainReading } from './arbitrary-batch.ts';
