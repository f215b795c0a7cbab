export {
  arbitraryAggregateBatch,
  arbitraryAggregatesStored,
  arbitraryReadingBatch,
  arbitraryStoredNotice,
} from './arbitrary-messages.ts';
