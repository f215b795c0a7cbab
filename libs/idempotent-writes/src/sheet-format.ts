/**
 * The blob of an aggregate sheet: format (1 byte), what format 2 added with its length before it (stored-format.ts),
 * ticket, start, length in ms, unit, count of rows; where there are rows, their hours and qualities (a byte each),
 * counts, decimals and four columns of values: sums' high and low parts, least, greatest. A column is its width (0: all
 * zero, 1 to 4: int8, int16, int32, float64) and its values. Numbers without a width are varints.
 *
 * Format 2 added the newest versions of the inputs (declared, accepted, activation); then, where there are rows, the step
 * in which peaks are told (0: none is known), each row's peak in steps and one more (0: not known), and the rows that
 * are out of the ordinary: how many, of each its number, expected, surplus, estimated, substituted, calculated, not
 * billable.
 *
 * Sheets that say the same have the same bytes but for versions and ticket: decimals are the fewest, steps the longest.
 */
export const sheetFormat = 2;
/** Bytes of a value, by the number of the width. */
export const sheetWidths = [0, 1, 2, 4, 8] as const;
/** A day of 48 hours, where a zone moves over the date line, and the day itself. (Antarctica/Troll has 26 each autumn.) */
export const rowsPerSheetMax = 49;
