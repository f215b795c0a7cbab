import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { Pipeline } from '../pipeline.ts';
import { bring, createTables, registerSeries, type BroughtFile } from './brought-source.ts';
import { computeReference } from './reference-aggregates.ts';
import { exportDifferences, sqlDifferences, yearDifferences } from './stored-aggregates.ts';

/** All that is brought and stored is in these years, by any clock. */
const years = { fromYear: 2018, toYear: 2020 } as const;
const span = { from: '2016-12-01T00:00:00Z', to: '2021-01-01T00:00:00Z' } as const;

/** Rows of a source, what they must be aggregated to, and a folder for files. */
export class SeriesWorld {
  readonly connection: DuckDBConnection;
  readonly #folder: string;

  private constructor(connection: DuckDBConnection, folder: string) {
    this.connection = connection;
    this.#folder = folder;
  }

  /** `fill` fills the tables that the reference reads. */
  static async open(fill: (connection: DuckDBConnection) => Promise<void>): Promise<SeriesWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'series-'));
    const connection = await (await DuckDBInstance.create(join(folder, 'reference.duckdb'))).connect();
    await createTables(connection);
    await fill(connection);
    await computeReference(connection, years);
    return new SeriesWorld(connection, folder);
  }

  /** Brings files one after the other to a new tenant; what then differs from the reference, anywhere. */
  async differences(pipeline: Pipeline, tenant: string, files: readonly BroughtFile[]): Promise<readonly string[]> {
    const world = { pipeline, connection: this.connection, folder: this.#folder, tenant };
    await registerSeries(world);
    for (const file of files) {
      await bring(world, file);
    }
    return [
      ...(await exportDifferences(world)),
      ...(await sqlDifferences(world)),
      ...(await yearDifferences(world, span)),
    ];
  }

  async row(sql: string): Promise<readonly unknown[]> {
    return (await this.connection.runAndReadAll(sql)).getRows()[0] ?? [];
  }

  async close(): Promise<void> {
    this.connection.closeSync();
    await rm(this.#folder, { recursive: true });
  }
}
