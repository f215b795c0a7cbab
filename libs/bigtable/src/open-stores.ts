import type { Layer } from '@meterflow/readings';
import { systemClock, type Clock } from '@meterflow/stage';
import { BigtableAggregateStore } from './aggregates/aggregate-store.ts';
import { Connection } from './client/connection.ts';
import { retryLimits, type RetryLimits } from './client/retry.ts';
import { Table, type RowTable } from './client/table.ts';
import { BigtableContributionStore } from './contributions/contribution-store.ts';
import { BigtableDeadLetters } from './dead-letters/dead-letters.ts';
import { exportLines } from './export-canonical.ts';
import { BigtableLedger } from './ledger/ledger.ts';
import { LedgerRows } from './ledger/ledger-rows.ts';
import { provisionTables, type Drift } from './provision.ts';
import { BigtableReadingStore } from './readings/reading-store.ts';
import { Tombstones } from './rows/tombstones.ts';
import { tables, type TableDeclaration } from './schema.ts';
import { BigtableRegistry } from './state/registry.ts';
import { BigtableSources, type SourcesPorts } from './state/sources.ts';
import { BigtableUploads } from './state/uploads.ts';
import { BigtableTickets } from './tickets.ts';

export interface BigtableOptions {
  /** Channels that others share; whoever opened them closes them. */
  readonly connection?: Connection;
  readonly projectId: string;
  readonly instance: string;
  /** An app profile with single-cluster routing, which compare-and-set and tickets need; the default one without it. */
  readonly appProfile?: string;
  /** `host:port` of an emulator. */
  readonly emulator?: string;
  /** Put before the names of tables: several systems in one instance. */
  readonly tablePrefix?: string;
  readonly retry?: RetryLimits;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Opens the stores of an instance. Nothing is called before a store is. */
export function openBigtable(options: BigtableOptions): BigtableStores {
  return new BigtableStores(options);
}

/** All ports that stand on Bigtable, over one pool of channels. Any number of processes may have them open. */
export class BigtableStores {
  readonly connection: Connection;
  /** A table by its name in the schema. */
  readonly table: (name: string) => Table;
  readonly ledger: BigtableLedger;
  readonly tickets: BigtableTickets;
  readonly aggregates: BigtableAggregateStore;
  readonly contributions: BigtableContributionStore;
  readonly deadLetters: BigtableDeadLetters;
  readonly registry: BigtableRegistry;
  readonly uploads: BigtableUploads;
  readonly #clock: Clock;
  readonly #isShared: boolean;
  readonly #raw: BigtableReadingStore;
  readonly #validated: BigtableReadingStore;

  constructor(options: BigtableOptions) {
    const { tablePrefix = '', retry = retryLimits, clock = systemClock, random = Math.random } = options;
    this.#clock = clock;
    this.connection = options.connection ?? new Connection({ ...options, clock });
    this.#isShared = options.connection !== undefined;
    const table = (name: string): Table =>
      new Table(this.connection, `${tablePrefix}${name}`, { clock, random, limits: retry });
    this.table = table;
    const ledgerTable = table(tables.ledger.name);
    const ledger = new LedgerRows(ledgerTable, clock);
    const readingParts = {
      table: table(tables.readings.name),
      ledger,
      tombstones: new Tombstones(tables.readings.tombstones),
    };
    this.#raw = new BigtableReadingStore({ ...readingParts, layer: 'raw' });
    this.#validated = new BigtableReadingStore({ ...readingParts, layer: 'validated' });
    this.aggregates = new BigtableAggregateStore({
      table: table(tables.aggregates.name),
      ledger,
      tombstones: new Tombstones(tables.aggregates.tombstones),
    });
    this.contributions = new BigtableContributionStore({
      table: table(tables.contributions.name),
      tombstones: new Tombstones(tables.contributions.tombstones),
    });
    this.deadLetters = new BigtableDeadLetters(table(tables.deadLetters.name), ledger);
    this.registry = new BigtableRegistry(table(tables.registry.name));
    this.uploads = new BigtableUploads(table(tables.uploads.name), clock);
    this.ledger = new BigtableLedger(ledgerTable);
    this.tickets = new BigtableTickets(table(tables.counters.name));
  }

  /** The rows that both layers' readings lie in. */
  get readingRows(): RowTable {
    return this.table(tables.readings.name);
  }

  readings(layer: Layer): BigtableReadingStore {
    return layer === 'raw' ? this.#raw : this.#validated;
  }

  /** Acceptances and receipts, which are read from the ledger: this one, unless told otherwise. */
  sources(ports: Partial<Pick<SourcesPorts, 'ledger' | 'nowMs'>> = {}): BigtableSources {
    const { ledger, tickets } = this;
    const nowMs = (): number => this.#clock.nowMs();
    return new BigtableSources({ table: this.table(tables.sources.name), ledger, tickets, nowMs, ...ports });
  }

  /** The canonical export, some whole lines at a time. */
  exportLines(): AsyncGenerator<string> {
    return exportLines({
      readings: (layer) => this.readings(layer),
      aggregates: this.aggregates,
      deadLetters: this.deadLetters,
    });
  }

  /** Makes or checks the tables; see `bigtableSchema`. */
  provision(
    declarations: readonly TableDeclaration[],
    how?: { readonly checkOnly?: boolean },
  ): Promise<readonly Drift[]> {
    return provisionTables(this.connection, declarations, how);
  }

  async close(): Promise<void> {
    if (!this.#isShared) {
      await this.connection.close();
    }
  }
}
