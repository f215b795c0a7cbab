import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  ledgerLayers,
  noOutcomes,
  outcomes,
  type Ledger,
  type LedgerLayer,
  type LedgerSummary,
  type OutcomeCounts,
} from '@meterflow/idempotent-writes';
import { deadLetterCauses, type DeadLetterCause } from '../bus/dead-letter-causes.ts';
import { openDeadLetterFile } from '../bus/dead-letter-file.ts';
import type { DataDirectory } from '../data-directory.ts';
import { storeError } from '../database.ts';
import { aggregateSchema } from './aggregate-schema.ts';
import { isComplete, rowsOfBatch, type StoredLedgerRow } from './ledger-rows.ts';
import { readingSchema } from './reading-schema.ts';
import { StoreFile } from './store-file.ts';

const storeOfLayer = {
  raw: 'raw',
  validated: 'validated',
  hour: 'aggregates',
  day: 'aggregates',
  month: 'aggregates',
} as const satisfies Record<LedgerLayer, string>;

type StoreName = (typeof storeOfLayer)[LedgerLayer];

/** One store's ledger tables, read. */
interface LedgerFile {
  readonly store: StoreFile;
  readonly source: StatementSync;
  readonly total: StatementSync;
  readonly rows: StatementSync;
}

/** Opens the read side of the ledger over all files of a data directory. */
export function openLedger({ directory }: { readonly directory: DataDirectory }): EmbeddedLedger {
  return new EmbeddedLedger(directory);
}

/** Reads what the stores' transactions wrote, as last committed: some keyed look-ups, however large the source is. */
export class EmbeddedLedger implements Ledger {
  readonly #directory: DataDirectory;
  readonly #files: Record<StoreName, LedgerFile>;
  readonly #deadLetters: DatabaseSync;

  constructor(directory: DataDirectory) {
    this.#directory = directory;
    this.#files = {
      raw: openFile(directory.store('raw'), readingSchema),
      validated: openFile(directory.store('validated'), readingSchema),
      aggregates: openFile(directory.store('aggregates'), aggregateSchema),
    };
    this.#deadLetters = openDeadLetterFile(directory);
  }

  /** One summary for each layer, in their order. */
  // eslint-disable-next-line @typescript-eslint/require-await -- the files are read at once; errors reject
  async summary(sourceId: string): Promise<readonly LedgerSummary[]> {
    // The dead letters first: a batch that is stored meanwhile is then counted as stored, never as neither.
    const causes = this.#causes(sourceId);
    return ledgerLayers.map((layer) => {
      const { store } = this.#files[storeOfLayer[layer]];
      const failed = causes.filter((cause) => cause.layer === layer);
      return store.read(() => this.#summary(sourceId, layer, failed));
    });
  }

  close(): void {
    for (const { store } of Object.values(this.#files)) {
      store.close();
    }
    this.#deadLetters.close();
  }

  #causes(sourceId: string): readonly DeadLetterCause[] {
    try {
      return deadLetterCauses(this.#deadLetters, sourceId);
    } catch (error) {
      throw storeError(error, this.#directory.state('dead-letters'));
    }
  }

  #summary(sourceId: string, layer: LedgerLayer, failed: readonly DeadLetterCause[]): LedgerSummary {
    const file = this.#files[storeOfLayer[layer]];
    const source = Number(file.source.get(sourceId)?.['id'] ?? -1);
    const total = file.total.get(source, ledgerLayers.indexOf(layer));
    const states = new Map<string, 'dead' | 'parked'>();
    for (const cause of failed) {
      if (states.get(cause.key) !== 'dead' && !isStored(file, source, cause)) {
        states.set(cause.key, cause.state === 'parked' ? 'parked' : 'dead');
      }
    }
    const dead = [...states.values()].filter((state) => state === 'dead').length;
    return {
      layer,
      batchesStored: Number(total?.['batches'] ?? 0),
      batchesDead: dead,
      batchesParked: states.size - dead,
      counts: total === undefined ? noOutcomes : countsOf(total),
    };
  }
}

function openFile(file: string, schema: string): LedgerFile {
  const store = new StoreFile({ file, schema });
  return {
    store,
    source: store.database.prepare('select id from sources where name = ?'),
    total: store.database.prepare('select * from ledgerTotals where source = ? and layer = ?'),
    rows: store.database.prepare(rowsOfBatch),
  };
}

/** A dead letter counts only where no row `stored` exists for the same part, and its batch is not whole without it. */
function isStored({ rows }: LedgerFile, source: number, cause: DeadLetterCause): boolean {
  const layer = ledgerLayers.findIndex((name) => name === cause.layer);
  const stored = rows.all(source, cause.key, layer) as unknown as StoredLedgerRow[];
  return isComplete(stored) || stored.some(({ parts, part }) => parts === cause.parts && part === cause.part);
}

function countsOf(total: Record<string, unknown>): OutcomeCounts {
  const counts = outcomes.map((outcome) => [outcome, Number(total[outcome])]);
  return Object.fromEntries(counts) as OutcomeCounts;
}
