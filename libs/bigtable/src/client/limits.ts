/**
 * Bounds of our own. The service refuses what is larger, at the latest when a message is to be stored that can't be
 * divided any more; Google's emulator takes everything. So we look first, and say which bound it is.
 */
export const rowKeyBytesMax = 4 * 1024;
/** The service recommends 10 MB and refuses beyond 100. */
export const cellBytesMax = 10 * 1024 * 1024;
/** The service's hard bound of a row is 256 MB: what is read beyond this is refused rather than held in memory. */
export const rowBytesMax = 256 * 1024 * 1024;
/** The service's bound on mutations of one request, in all its entries together. */
export const requestMutationsMax = 100_000;
/** How many rows one request changes: the answer names each. */
export const requestEntriesMax = 5_000;
/** What each of many encoded entries may hold, so that as many as one request names stay below its bound. */
export const encodedMutationsMax = requestMutationsMax / requestEntriesMax;
/** What a request holds, but for one entry that is larger by itself. The service's own bound is 256 MB. */
export const requestBytesMax = 8 * 1024 * 1024;
/** How many keys one read names. */
export const readKeysMax = 10_000;

/** Calls that one process has under way at the same time, of those that go row by row. */
export const callsInFlightMax = 32;
