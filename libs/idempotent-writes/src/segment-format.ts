/**
 * The blob of a series-day:
 *
 *     format: 1 byte; from format 2 on what a newer build adds, its length before it (see stored-format.ts)
 *     sets, up to the end of the blob; nearly always one. Readings go on in the next set where the decimals that a set's
 *     values would share took one of them to 2^53:
 *       count of readings
 *       width and decimals: 1 byte, width (0 to 3: int8, int16, int32, float64) in the high half
 *       count of spans, each: start after the start before it (the first: after the day's), length, step (0: as
 *         the length), count of readings
 *       values, each of the width
 *       texts: count, each its length in bytes and UTF-8; text 0 is the empty one and not among them
 *       labels: count, each: quality, then unit, code, method and reason as numbers of texts
 *       which label each reading has: a shape (see below) and what it calls for
 *       versions: count, each: computed (bit 0) and the signs of the differences (bits 1 to 4), then the differences of
 *         declared, acceptedAtMs, activation and ticket to the version before
 *       which version each reading has: as with labels
 *
 * Numbers without a width are varints. A usual day of 96 quarter hours takes 233 bytes, 41 of them beside the values.
 */
export const segmentFormat = 1;

/** All readings have row 0. */
export const oneRun = 1;
/** Reading `i` has row `i`. */
export const singleRuns = 2;
/** Run `i` has row `i`: for each row its count of readings. */
export const orderedRuns = 3;
/** Count of runs, each: count of readings, number of the row. */
export const anyRuns = 4;

/** Bytes of a value. */
export const valueWidths = [1, 2, 4, 8] as const;

export const dayMs = 86_400_000;

/** A series-day holds at most this many readings: one a second, and room for surplus ones. */
export const readingsPerDayMax = 100_000;

/** Days since 1970-01-01 UTC are below this: what a store's key has room for. The year 2687. */
export const dayMax = 2 ** 18;

/** A day of shorter intervals than a second goes the general way. */
export const slotMsMin = 1_000;
