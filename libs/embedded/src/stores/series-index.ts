import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SeriesName } from '@meterflow/readings';
import { wholeMeter } from './series-schema.ts';

/** A series as its store's writer knows it. */
export interface KnownSeries {
  readonly id: number;
  /** What is at or below this instant (of aggregates: this ticket) was erased and stays so. */
  readonly erasedTo: number;
  /** The greatest key its store has of it; -1 for none. Kept by the writer. */
  keyMax: number;
  /** Its number in the group in work, valid while `group` is that group's. */
  number: number;
  group: number;
}

/** How many series each of the two generations remembers: memory stays flat however many meters there are. */
const generationMax = 50_000;

export interface SeriesIndexOptions {
  /** Table whose integer key is the series' id times `keysPerSeries` and something below. */
  readonly table: string;
  readonly keysPerSeries: number;
}

/**
 * Finds and makes series within a write transaction. Remembers them until told to forget: after a rollback, and when
 * another process has written the file.
 */
export class SeriesIndex {
  readonly #findTenant: StatementSync;
  readonly #addTenant: StatementSync;
  readonly #find: StatementSync;
  readonly #findErased: StatementSync;
  readonly #add: StatementSync;
  readonly #keyMax: StatementSync | undefined;
  readonly #keysPerSeries: number;
  #young = new Map<string, KnownSeries>();
  #old = new Map<string, KnownSeries>();
  #tenants = new Map<string, { id: number; erasedTo: number }>();

  /** Without options no greatest key is kept. */
  constructor(database: DatabaseSync, options?: SeriesIndexOptions) {
    this.#keysPerSeries = options?.keysPerSeries ?? 1;
    this.#findTenant = database.prepare('select id, erasedTo from tenants where name = ?');
    this.#addTenant = database.prepare('insert into tenants (name) values (?)');
    this.#find = database.prepare('select id, erasedTo from series where tenant = ? and meter = ? and channel = ?');
    this.#findErased = database.prepare(
      `select erasedTo from series where tenant = ? and meter = ? and channel = '${wholeMeter}'`,
    );
    this.#add = database.prepare('insert into series (tenant, meter, channel) values (?, ?, ?)');
    this.#keyMax =
      options && database.prepare(`select max(key) as keyMax from ${options.table} where key >= ? and key < ?`);
  }

  forget(): void {
    this.#young.clear();
    this.#old.clear();
    this.#tenants.clear();
  }

  /** What is at or below this was erased of the tenant as a whole; -1 where nothing was. Makes nothing. */
  tenantErasedTo(tenant: string): number {
    return this.#tenants.get(tenant)?.erasedTo ?? Number(this.#findTenant.get(tenant)?.['erasedTo'] ?? -1);
  }

  /** The series of this name, made where it is new. */
  series(tenant: string, name: SeriesName): KnownSeries {
    const path = `${tenant}\n${name.meter}\n${name.channel}`;
    let known = this.#young.get(path);
    if (known !== undefined) {
      return known;
    }
    known = this.#old.get(path) ?? this.#load(tenant, name);
    if (this.#young.size >= generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(path, known);
    return known;
  }

  #load(tenantName: string, { meter, channel }: SeriesName): KnownSeries {
    const tenant = this.#tenant(tenantName);
    const found = this.#find.get(tenant.id, meter, channel);
    const ofMeter = this.#findErased.get(tenant.id, meter);
    const erasedTo = Math.max(tenant.erasedTo, Number(ofMeter?.['erasedTo'] ?? -1));
    if (found === undefined) {
      const id = Number(this.#add.run(tenant.id, meter, channel).lastInsertRowid);
      return { id, erasedTo, keyMax: -1, number: 0, group: -1 };
    }
    const id = Number(found['id']);
    const range = this.#keyMax?.get(id * this.#keysPerSeries, (id + 1) * this.#keysPerSeries);
    return {
      id,
      erasedTo: Math.max(erasedTo, Number(found['erasedTo'])),
      keyMax: Number(range?.['keyMax'] ?? -1),
      number: 0,
      group: -1,
    };
  }

  #tenant(name: string): { id: number; erasedTo: number } {
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      const found = this.#findTenant.get(name);
      tenant =
        found === undefined
          ? { id: Number(this.#addTenant.run(name).lastInsertRowid), erasedTo: -1 }
          : { id: Number(found['id']), erasedTo: Number(found['erasedTo']) };
      if (this.#tenants.size >= generationMax) {
        this.#tenants.clear();
      }
      this.#tenants.set(name, tenant);
    }
    return tenant;
  }
}
