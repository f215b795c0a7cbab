export interface ChangingZone {
  readonly zone: string;
  /** The dates of 2018 on which its clocks change: days of 23 and 25 hours, or of 23.5 and 24.5. */
  readonly changes: readonly [string, string];
}

/** In 2018, whose rules every machine's time zones agree on. */
export const changingZones: readonly ChangingZone[] = [
  { zone: 'Europe/Zurich', changes: ['2018-03-25', '2018-10-28'] },
  // Clocks skip midnight, and show it twice.
  { zone: 'America/Havana', changes: ['2018-03-11', '2018-11-04'] },
  // Half an hour off.
  { zone: 'America/St_Johns', changes: ['2018-03-11', '2018-11-04'] },
  // Half an hour off, and changes by half an hour.
  { zone: 'Australia/Lord_Howe', changes: ['2018-10-07', '2018-04-01'] },
  // Days begin at a quarter past.
  { zone: 'Pacific/Chatham', changes: ['2018-09-30', '2018-04-01'] },
];
