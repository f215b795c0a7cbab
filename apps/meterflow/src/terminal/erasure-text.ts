import { table } from './table.ts';

interface Stored {
  readonly series: number;
  readonly rows: number;
  readonly historyRows: number;
}

interface Places {
  readonly raw: Stored;
  readonly validated: Stored;
  readonly aggregates: Stored;
  readonly receipts: { readonly labels: number; readonly rejects: number };
  readonly deadLetters: { readonly purged: number; readonly reduced: number };
  readonly droppedFiles: number;
}

/** As `POST /v1/erasures` answers. */
export interface ErasureProof {
  readonly id: string;
  readonly tenant: string;
  readonly meter?: string;
  readonly channel?: string;
  readonly upTo: string;
  readonly erased: Places;
  readonly found: Places;
  readonly clean: boolean;
  readonly keptForReplay: { readonly messages?: number; readonly until?: string };
  readonly warehouseRows?: number;
  readonly droppedFilesKept: number;
}

/** What is counted, place by place. */
const places: readonly (readonly [name: string, count: (places: Places) => number])[] = [
  ['raw readings, series-days', ({ raw }) => raw.rows],
  ['raw history', ({ raw }) => raw.historyRows],
  ['validated readings, series-days', ({ validated }) => validated.rows],
  ['validated history', ({ validated }) => validated.historyRows],
  ['aggregates, days and months', ({ aggregates }) => aggregates.rows],
  ['rejected lines in receipts', ({ receipts }) => receipts.rejects],
  ['file names in receipts', ({ receipts }) => receipts.labels],
  ['dead letters, parked batches', ({ deadLetters }) => deadLetters.purged + deadLetters.reduced],
  ['files taken from the drop folder', ({ droppedFiles }) => droppedFiles],
];

/** The proof of an erasure for a person. */
export function erasureText(proof: ErasureProof): string {
  const { erased, found, keptForReplay, droppedFilesKept } = proof;
  const rows = places.map(([name, count]) => [name, count(erased), count(found)]);
  const lines = [
    `Erased ${titleOf(proof)}, all that was accepted up to ${proof.upTo}.`,
    '',
    table(['place', 'erased', 'found again'], rows),
    '',
    `Tombstone ${proof.id}: no file, message or replay from before brings it back.`,
  ];
  if (proof.warehouseRows !== undefined) {
    lines.push(`${proof.warehouseRows} rows left the warehouse; its time travel keeps them for some days more.`);
  }
  lines.push(...keptLines(keptForReplay));
  if (droppedFilesKept > 0) {
    lines.push(`${droppedFilesKept} files that the drop folder took stay in its done/ and rejected/: look into them.`);
  }
  return lines.join('\n');
}

function keptLines({ messages, until }: ErasureProof['keptForReplay']): readonly string[] {
  if (messages === 0) {
    return [];
  }
  const count = messages === undefined ? 'Messages' : `${messages} messages`;
  const time = until === undefined ? '' : ` until ${until}`;
  return [`${count} of the tenant stay on the bus${time}; handled once more they store nothing of it.`];
}

function titleOf({ tenant, meter, channel }: ErasureProof): string {
  if (meter === undefined) {
    return `tenant ${tenant}`;
  }
  return `${channel === undefined ? '' : `channel ${channel} of `}meter ${meter} of tenant ${tenant}`;
}
