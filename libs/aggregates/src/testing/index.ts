export { readingColumns, type WrittenReading } from './reading-columns.ts';
export { referenceDay, type ReferenceRow } from './reference-day.ts';
export { shownSheets, type ShownSheet } from './shown-sheets.ts';
