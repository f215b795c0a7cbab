export {
  arbitraryAggregateBatch,
  arbitraryAggregatesStored,
  arbitraryReadingBatch,
  arbitraryStoredNotice,
  arbitraryWindowsComplete,
} from './arbitrary-messages.ts';
export { describeLetterErasure, type ErasableLettersUnderTest } from './describe-letter-erasure.ts';
