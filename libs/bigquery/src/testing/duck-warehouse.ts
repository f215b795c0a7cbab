import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { warehouseTables, type ColumnType, type TableSchema } from '../schema.ts';
import {
  asOfName,
  currentName,
  incrementalLatest,
  latestAsOf,
  plainLatest,
  plainName,
  relations,
  shownLatest,
} from '../sql/latest.ts';

const types: Readonly<Record<ColumnType, string>> = {
  STRING: 'varchar',
  BYTES: 'blob',
  INT64: 'bigint',
  TIMESTAMP: 'timestamptz',
  NUMERIC: 'decimal(38, 9)',
};

/**
 * The warehouse's tables and the very queries of its views in DuckDB, another engine than BigQuery: files are read by
 * its Parquet reader, only quotes are translated, and what DuckDB calls otherwise is a macro.
 */
export class DuckWarehouse {
  readonly #connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #folder: string;
  #files = 0;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
    this.#folder = mkdtempSync(join(tmpdir(), 'meterflow-warehouse-'));
  }

  static async open(tables: readonly TableSchema[] = warehouseTables): Promise<DuckWarehouse> {
    const instance = await DuckDBInstance.create();
    const warehouse = new DuckWarehouse(instance, await instance.connect());
    await warehouse.run("set timezone = 'UTC'");
    await warehouse.run('create macro timestamp_add(instant, span) as instant + span');
    for (const table of tables) {
      await warehouse.create(table);
    }
    for (const relation of relations) {
      const views = [
        [currentName(relation), incrementalLatest(relation, duckName)],
        [relation.name, shownLatest(relation, duckName)],
        [plainName(relation), plainLatest(relation, duckName)],
      ] as const;
      for (const [name, query] of views) {
        await warehouse.run(`create view ${name} as ${query}`);
      }
      await warehouse.run(`create macro ${asOfName(relation)}(as_of) as table ${latestAsOf(relation, duckName)}`);
    }
    return warehouse;
  }

  async create({ name, columns }: TableSchema): Promise<void> {
    const lines = columns.map((column) => `"${column.name}" ${types[column.type]}${column.added ? '' : ' not null'}`);
    await this.run(`create table ${name} (${lines.join(', ')})`);
  }

  /** Appends a file to a table by the names of its columns, as a load job does. */
  async load(table: string, file: Uint8Array): Promise<void> {
    const path = join(this.#folder, `${this.#files++}.parquet`);
    writeFileSync(path, file);
    await this.run(`insert into ${table} by name select * from read_parquet('${path}')`);
  }

  /** Runs a statement in BigQuery's words, as far as DuckDB has the same; rows come as texts. */
  async run(sql: string, parameters?: Readonly<Record<string, string>>): Promise<(string | null)[][]> {
    const text = sql.replaceAll('`', '"').replaceAll(/@(\w+)/g, '$$$1');
    const named = Object.entries(parameters ?? {}).filter(([name]) => text.includes(`$${name}`));
    const reader = await this.#connection.runAndReadAll(text, Object.fromEntries(named));
    return reader.getRows().map((row) => row.map((cell) => (cell === null ? null : String(cell))));
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function duckName(name: string): string {
  return `"${name}"`;
}
