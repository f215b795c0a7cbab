export {
  arbitraryAggregateBatch,
  arbitraryAggregatesStored,
  arbitraryReadingBatch,
  arbitraryStoredNotice,
} from './arbitrary-messages.ts';
export { describeLetterErasure, type ErasableLettersUnderTest } from './describe-letter-erasure.ts';
