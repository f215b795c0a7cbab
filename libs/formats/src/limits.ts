/** A longer line is rejected, and skipped up to its end, so that a file without line ends costs no memory. */
export const lineBytesMax = 65_536;
/** A JSON document is parsed as a whole; larger sources come as NDJSON or CSV. */
export const documentBytesMax = 16 * 1024 * 1024;
/**
 * Lines that are read the complete way, or rejected, in one step: some milliseconds. Lines that take the fast lane need
 * no count, since a piece of content has only so many.
 */
export const costlyLinesPerStep = 1_000;
/** Brackets within brackets in JSON. */
export const jsonDepthMax = 8;
/** How much of a source's beginning the interval length is deduced from. */
export const probeBytesMax = 256 * 1024;
/** … and, of a JSON document, which is read whole anyway. */
export const probeRowsMax = 5_000;
/** Series that a reader remembers at once; beyond, it starts over at the next batch. */
export const seriesRememberedMax = 100_000;
/** Spans without a hole that a reader remembers of a series; beyond, the earliest is forgotten. */
export const spansPerSeriesMax = 16;
/** Lines in descending order that wait for the earlier ones: some 200 MB at the most. */
export const descendingLinesMax = 500_000;
/** Remarks of each code that are kept; all are counted. */
export const remarksPerCodeMax = 1_000;
/** Rejects that are handed over at once. */
export const rejectsPerCallMax = 1_000;
/** A reading may start this long after its acceptance: meters' clocks are off, forecasts are not readings. */
export const futureMsMax = 2 * 86_400_000;
/** Columns of a file, and rows before its header. */
export const columnsMax = 1_000;
export const skippedLinesMax = 1_000;
/** Assumed where nothing tells the length of a reading's interval. */
export const defaultIntervalMs = 900_000;
