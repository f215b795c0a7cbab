import { DatabaseSync } from 'node:sqlite';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { DataDirectory } from '../data-directory.ts';
import { openAggregateStore, type EmbeddedAggregateStore } from '../stores/aggregate-store.ts';
import { openReadingStore, type EmbeddedReadingStore } from '../stores/reading-store.ts';
import { loadAggregates } from './load-aggregates.ts';
import { loadReadings } from './load-readings.ts';
import type { SqlView } from './query-views.ts';

export interface TenantDatabaseOptions {
  readonly directory: DataDirectory;
  /** Whose rows are loaded; all tenants' without it. No query sees more than what is loaded. */
  readonly tenant?: string;
  readonly memoryBytesMax: number;
}

/** Where each view comes from. */
const storeOf = { readings: 'validated', readings_raw: 'raw', aggregates: 'aggregates' } as const satisfies Record<
  SqlView,
  Parameters<DataDirectory['store']>[0]
>;

/**
 * A DuckDB in memory with the views of one tenant, loaded when first asked for and again when their store has changed.
 * It can reach no file, no network and no extension, and its settings are locked.
 */
export class TenantDatabase {
  readonly #options: TenantDatabaseOptions;
  readonly #instance: DuckDBInstance;
  readonly #views = new Map<SqlView, LoadedView>();
  #loading: Promise<unknown> = Promise.resolve();

  private constructor(options: TenantDatabaseOptions, instance: DuckDBInstance) {
    this.#options = options;
    this.#instance = instance;
  }

  static async open(options: TenantDatabaseOptions): Promise<TenantDatabase> {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: `${options.memoryBytesMax}B`,
      temp_directory: '',
      enable_external_access: 'false',
      autoload_known_extensions: 'false',
      autoinstall_known_extensions: 'false',
      // Settings can be read: no path of this machine is in them.
      allow_persistent_secrets: 'false',
      secret_directory: 'none',
    });
    const connection = await instance.connect();
    await connection.run("set global TimeZone = 'UTC'");
    await connection.run('create schema loaded');
    await connection.run('set lock_configuration = true');
    connection.closeSync();
    return new TenantDatabase(options, instance);
  }

  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect();
  }

  /** Brings views up to what is stored now. Queries that run meanwhile keep what they began with. */
  async load(views: Iterable<SqlView>): Promise<void> {
    const wanted = [...views];
    const loading = this.#loading.then(() => this.#load(wanted));
    this.#loading = loading.catch(() => undefined);
    await loading;
  }

  /** Waits for a load under way. Queries that still run end first: DuckDB lives as long as their connections. */
  async close(): Promise<void> {
    await this.#loading;
    for (const view of this.#views.values()) {
      view.close();
    }
    this.#views.clear();
    this.#instance.closeSync();
  }

  async #load(views: readonly SqlView[]): Promise<void> {
    for (const view of views) {
      let loaded = this.#views.get(view);
      if (loaded === undefined) {
        loaded = new LoadedView(view, this.#options);
        this.#views.set(view, loaded);
      }
      await loaded.refresh(this.#instance);
    }
  }
}

/** One view and the store it was loaded from. */
class LoadedView {
  readonly #view: SqlView;
  readonly #tenant: string | undefined;
  readonly #store: EmbeddedReadingStore | EmbeddedAggregateStore;
  /** A connection of its own: SQLite tells it whenever any other has changed the file. */
  readonly #watch: DatabaseSync;
  #version = -1;

  constructor(view: SqlView, { directory, tenant }: TenantDatabaseOptions) {
    const file = directory.store(storeOf[view]);
    this.#view = view;
    this.#tenant = tenant;
    this.#store =
      view === 'aggregates'
        ? openAggregateStore({ file })
        : openReadingStore({ file, layer: view === 'readings' ? 'validated' : 'raw' });
    this.#watch = new DatabaseSync(file, { readOnly: true });
  }

  async refresh(instance: DuckDBInstance): Promise<void> {
    // Looked at before loading: what is written meanwhile is then loaded by the next query.
    const version = Number(this.#watch.prepare('pragma data_version').get()?.['data_version']);
    if (version === this.#version) {
      return;
    }
    const connection = await instance.connect();
    try {
      await connection.run('begin');
      await this.#loadInto(connection);
      await connection.run('commit');
      this.#version = version;
    } finally {
      connection.closeSync();
    }
  }

  close(): void {
    this.#store.close();
    this.#watch.close();
  }

  async #loadInto(connection: DuckDBConnection): Promise<void> {
    const filter = this.#tenant === undefined ? {} : { tenant: this.#tenant };
    if ('batches' in this.#store) {
      await loadAggregates(connection, [this.#store.batches('day', filter), this.#store.batches('month', filter)]);
    } else {
      const store = this.#store;
      const segments = this.#tenant === undefined ? store.segmentsByKey() : store.segments(filter);
      await loadReadings(connection, this.#view, segments);
    }
  }
}
