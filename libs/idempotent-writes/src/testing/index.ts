export {
  describeReadingStore,
  type DescribeReadingStoreOptions,
  type ReadingStoreUnderTest,
} from './describe-reading-store.ts';
export { describeReadingHistory, type ReadingHistoryUnderTest } from './describe-reading-history.ts';
export { MemoryReadingStore } from './memory-reading-store.ts';
export { canonicalRows, freshKey, writeOf, type PlainBatch } from './plain-state.ts';
export {
  describeAggregateStore,
  type AggregateStoreUnderTest,
  type DescribeAggregateStoreOptions,
} from './describe-aggregate-store.ts';
export { describeLedger, type DescribeLedgerOptions, type LedgerUnderTest } from './describe-ledger.ts';
export { describeTickets, type TicketsUnderTest } from './describe-tickets.ts';
export { aggregateWrite, shownAggregates, type PlainAggregates, type PlainSheet } from './plain-sheets.ts';
export { describeContributionStore, type ContributionStoreUnderTest } from './describe-contribution-store.ts';
export { MemoryContributions } from './memory-contributions.ts';
