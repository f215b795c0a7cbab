/** Tables and their families. Cells name their family by one letter: it stands in each of them. */
export const tables = {
  readings: { name: 'readings', segments: 's', tombstones: 't' },
  aggregates: { name: 'aggregates', days: 'd', months: 'm', tombstones: 't' },
  contributions: { name: 'contributions', cells: 'c', tombstones: 't' },
  ledger: { name: 'ledger', rows: 'l' },
  counters: { name: 'counters', counts: 'c' },
  registry: { name: 'registry', entries: 'e' },
  sources: { name: 'sources', entries: 's', tombstones: 't' },
  uploads: { name: 'uploads', pieces: 'u' },
  deadLetters: { name: 'dead_letters', letters: 'd', tombstones: 't' },
} as const;

/** What a family's garbage collection keeps. It runs when the service likes: nothing may rely on it being done. */
export type GarbageCollection =
  /** Cells younger than this by their own timestamp. */
  | { readonly ageDaysMax: number }
  /** The newest so many cells of each column. */
  | { readonly versionsMax: number };

export interface FamilyDeclaration {
  readonly name: string;
  readonly keeps: GarbageCollection;
}

export interface TableDeclaration {
  readonly name: string;
  readonly families: readonly FamilyDeclaration[];
}

export interface RetentionDays {
  /** After the day that the readings are of. */
  readonly readings: number;
  /** After the window's end. */
  readonly dayAggregates: number;
  readonly monthAggregates: number;
  /** Receipts: sources, their rejected lines and the ledger. */
  readonly receipts: number;
  readonly uploads: number;
  readonly deadLetters: number;
}

export const retentionDaysDefault: RetentionDays = {
  readings: 1_100,
  dayAggregates: 1_100,
  monthAggregates: 3_660,
  receipts: 400,
  uploads: 7,
  deadLetters: 400,
};

/** Every table that the stores stand on, as data: what provisioning makes, or holds an instance against. */
export function bigtableSchema(
  retention: RetentionDays = retentionDaysDefault,
  tablePrefix = '',
): readonly TableDeclaration[] {
  const aged = (name: string, ageDaysMax: number): FamilyDeclaration => ({ name, keeps: { ageDaysMax } });
  const newest = (name: string): FamilyDeclaration => ({ name, keeps: { versionsMax: 1 } });
  const { readings, aggregates, contributions, ledger, counters, registry, sources, uploads, deadLetters } = tables;
  const declarations: readonly TableDeclaration[] = [
    {
      name: readings.name,
      // A tombstone outlives what it erased: a replay may come at any time.
      families: [aged(readings.segments, retention.readings), newest(readings.tombstones)],
    },
    {
      name: aggregates.name,
      families: [
        aged(aggregates.days, retention.dayAggregates),
        aged(aggregates.months, retention.monthAggregates),
        newest(aggregates.tombstones),
      ],
    },
    {
      name: contributions.name,
      families: [aged(contributions.cells, retention.dayAggregates), newest(contributions.tombstones)],
    },
    { name: ledger.name, families: [aged(ledger.rows, retention.receipts)] },
    { name: counters.name, families: [newest(counters.counts)] },
    { name: registry.name, families: [newest(registry.entries)] },
    { name: sources.name, families: [aged(sources.entries, retention.receipts), newest(sources.tombstones)] },
    { name: uploads.name, families: [aged(uploads.pieces, retention.uploads)] },
    {
      name: deadLetters.name,
      families: [aged(deadLetters.letters, retention.deadLetters), newest(deadLetters.tombstones)],
    },
  ];
  return declarations.map((table) => ({ ...table, name: `${tablePrefix}${table.name}` }));
}
