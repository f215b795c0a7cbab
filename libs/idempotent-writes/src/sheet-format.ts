/**
 * The blob of an aggregate sheet: format (1 byte; from format 2 on what a newer build adds, see stored-format.ts), ticket, start, length in ms, unit, count of rows; where there are
 * rows, their hours and qualities (a byte each), counts, decimals and four columns of values: sums' high and low
 * parts, least, greatest. A column is its width (0: all zero, 1 to 4: int8, int16, int32, float64) and its values.
 * Numbers without a width are varints. Sheets that say the same have the same bytes after
 * the ticket: decimals are the fewest.
 */
export const sheetFormat = 1;
/** Bytes of a value, by the number of the width. */
export const sheetWidths = [0, 1, 2, 4, 8] as const;
/** A day of 25 hours and the day itself. */
export const rowsPerSheetMax = 26;
