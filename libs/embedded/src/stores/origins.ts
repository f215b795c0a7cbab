import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  dayMs,
  decodeOriginPieces,
  encodeOriginPieces,
  originsMax,
  type Origin,
  type OriginPiece,
} from '@meterflow/idempotent-writes';
import type { ReadingBatch } from '@meterflow/readings';
import { seriesPieces } from './origin-pieces.ts';
import { daysPerSeries } from './reading-schema.ts';

/**
 * Which lines of which source brought readings: for each batch, series and version a row in `originPacks`, whose `pieces`
 * are readings that follow each other in time and in their lines. `key` and `lastKey` are those of the first and the last
 * day. Files made by an earlier build get the tables when they are opened. `origins`, with a row for each piece, is what
 * the build before wrote; it is read, and no longer written. `historySources` says of a row of the history who brought it, or
 * (`displaced`) what took its place: of those alone that a later version did not supersede. Its rows go with those of the
 * history, whichever build erases them.
 */
export const originsSchema = `
create table if not exists origins (
  id integer primary key,
  key integer not null,
  lastKey integer not null,
  source integer not null references sources,
  acceptedAtMs real not null,
  declared real not null,
  startMs real not null,
  stepMs integer not null,
  count integer not null,
  lengthMs integer not null,
  line integer not null,
  lineStep integer not null
) strict;
create index if not exists originsByKey on origins (key);
create table if not exists originPacks (
  id integer primary key,
  key integer not null,
  lastKey integer not null,
  source integer not null references sources,
  acceptedAtMs real not null,
  declared real not null,
  pieces blob not null
) strict;
create index if not exists originPacksByKey on originPacks (key);
create table if not exists historySources (
  history integer primary key references history on delete cascade,
  source integer not null references sources,
  displaced integer not null
) strict;`;

/** By key. */
export const originTables = ['origins', 'originPacks'] as const;

/** Writes where raw readings came from, within the store's transactions. */
export class OriginWriter {
  readonly #add: StatementSync;

  constructor(database: DatabaseSync) {
    this.#add = database.prepare('insert into originPacks values (null, ?, ?, ?, ?, ?, ?)');
  }

  /** `idOf`: the series' id in the file by its index in the batch; undefined for one that is not stored. */
  add(batch: ReadingBatch, source: number, idOf: (series: number) => number | undefined): void {
    for (const { series, version, pieces } of seriesPieces(batch)) {
      const id = idOf(series);
      if (id === undefined) {
        continue;
      }
      const keyOf = (atMs: number): number => id * daysPerSeries + Math.floor(atMs / dayMs);
      const first = pieces.reduce((least, { startMs }) => Math.min(least, startMs), Infinity);
      const last = pieces.reduce((greatest, piece) => Math.max(greatest, lastStartMs(piece)), -Infinity);
      const declared = batch.columns.versions.declared[version] as number;
      const blob = encodeOriginPieces(pieces);
      this.#add.run(keyOf(first), keyOf(last), source, batch.acceptedAtMs, declared, blob);
    }
  }
}

function lastStartMs({ startMs, stepMs, count }: Pick<Origin, 'startMs' | 'stepMs' | 'count'>): number {
  return startMs + (count - 1) * stepMs;
}

type OriginRow = Omit<Origin, 'sourceId'> & { readonly name: string };
type PackRow = Pick<OriginRow, 'name' | 'acceptedAtMs' | 'declared'> & { readonly pieces: Uint8Array };

export class OriginReader {
  readonly #of: StatementSync;
  readonly #packsOf: StatementSync;

  constructor(database: DatabaseSync) {
    const from = (columns: string, table: string): string =>
      `select name, acceptedAtMs, declared, ${columns} from ${table}
       join sources on sources.id = source where key between ? and ? and lastKey >= ?
       order by ${table}.id desc limit ${originsMax}`;
    this.#of = database.prepare(from('startMs, stepMs, count, lengthMs, line, lineStep', 'origins'));
    this.#packsOf = database.prepare(from('pieces', 'originPacks'));
  }

  /** Of the series with this id, what touches the days [firstDay, endDay), in the order of storing; the last of many. */
  of(id: number, firstDay: number, endDay: number): Origin[] {
    const first = id * daysPerSeries;
    const keys = [first, first + endDay - 1, first + firstDay] as const;
    const rows = this.#of.all(...keys) as unknown as OriginRow[];
    const packs = this.#packsOf.all(...keys) as unknown as PackRow[];
    const touches = (piece: OriginPiece): boolean =>
      piece.startMs < endDay * dayMs && lastStartMs(piece) >= firstDay * dayMs;
    return [
      ...rows.reverse().map(({ name, ...origin }) => ({ sourceId: name, ...origin })),
      ...packs.reverse().flatMap(({ name, acceptedAtMs, declared, pieces }) =>
        decodeOriginPieces(pieces)
          .filter(touches)
          .map((piece) => ({ sourceId: name, acceptedAtMs, declared, ...piece })),
      ),
    ].slice(-originsMax);
  }
}
