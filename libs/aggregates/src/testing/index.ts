export { readingColumns, type WrittenReading } from './reading-columns.ts';
export { contributionBytes, referenceGroup, type WrittenMember } from './reference-contribution.ts';
export { referenceDay, type ReferenceRow } from './reference-day.ts';
export { fraction, shownContribution, type ShownSlot } from './shown-contribution.ts';
export { shownSheets, type ShownSheet } from './shown-sheets.ts';
