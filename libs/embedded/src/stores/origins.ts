import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { dayMs, originsMax, type Origin } from '@meterflow/idempotent-writes';
import { ReadingCursor, RunsCursor, type ReadingBatch } from '@meterflow/readings';
import { daysPerSeries } from './reading-schema.ts';

/**
 * Which lines of which source brought readings: for each batch and series a row for readings that follow each other in
 * time and in their lines. `key` and `lastKey` are those of the first and the last day. Files made by an earlier build
 * get the table when they are opened.
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
create index if not exists originsByKey on origins (key);`;

/** Readings of one series and version that are one step apart, and so are their lines. */
interface Piece {
  series: number;
  version: number;
  startMs: number;
  lengthMs: number;
  stepMs: number;
  count: number;
  line: number;
  lineStep: number;
}

/** Writes where raw readings came from, within the store's transactions. */
export class OriginWriter {
  readonly #add: StatementSync;

  constructor(database: DatabaseSync) {
    this.#add = database.prepare('insert into origins values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  }

  /** `idOf`: the series' id in the file by its index in the batch; undefined for one that is not stored. */
  add(batch: ReadingBatch, source: number, idOf: (series: number) => number | undefined): void {
    for (const piece of piecesOf(batch)) {
      const id = idOf(piece.series);
      if (id === undefined) {
        continue;
      }
      const { startMs, stepMs, count, lengthMs, line, lineStep } = piece;
      const keyOf = (atMs: number): number => id * daysPerSeries + Math.floor(atMs / dayMs);
      const declared = batch.columns.versions.declared[piece.version] as number;
      this.#add.run(
        ...([keyOf(startMs), keyOf(startMs + (count - 1) * stepMs), source, batch.acceptedAtMs, declared] as const),
        ...([startMs, stepMs, count, lengthMs, line, lineStep] as const),
      );
    }
  }
}

/** Series by series, whatever order the batch has them in: a file that goes by time has a row for each too. */
function piecesOf({ columns, firstLine, lineDeltas, series }: ReadingBatch): readonly Piece[] {
  const cursor = new ReadingCursor(columns);
  const deltas = new RunsCursor(lineDeltas);
  const pieces: Piece[] = [];
  const open: (Piece | undefined)[] = new Array<Piece | undefined>(series.length).fill(undefined);
  let line = firstLine;
  while (cursor.next()) {
    const { startMs, lengthMs } = cursor;
    const version = cursor.versionIndex;
    line += deltas.at(cursor.index);
    const piece = open[cursor.series];
    if (piece?.version === version && piece.lengthMs === lengthMs && follows(piece, startMs, line)) {
      piece.count += 1;
      continue;
    }
    const begun = { series: cursor.series, version, startMs, lengthMs, stepMs: 0, count: 1, line, lineStep: 0 };
    open[cursor.series] = begun;
    pieces.push(begun);
  }
  return pieces;
}

/** The second of a piece says how far its readings, and their lines, are apart. */
function follows(piece: Piece, startMs: number, line: number): boolean {
  if (piece.count === 1) {
    if (startMs <= piece.startMs) {
      return false;
    }
    piece.stepMs = startMs - piece.startMs;
    piece.lineStep = line - piece.line;
    return true;
  }
  return startMs === piece.startMs + piece.count * piece.stepMs && line === piece.line + piece.count * piece.lineStep;
}

type OriginRow = Omit<Origin, 'sourceId'> & { readonly name: string };

export class OriginReader {
  readonly #of: StatementSync;

  constructor(database: DatabaseSync) {
    this.#of = database.prepare(
      `select name, acceptedAtMs, declared, startMs, stepMs, count, lengthMs, line, lineStep from origins
       join sources on sources.id = source where key between ? and ? and lastKey >= ?
       order by origins.id desc limit ${originsMax}`,
    );
  }

  /** Of the series with this id, batches that touch the days [firstDay, endDay), in the order of storing. */
  of(id: number, firstDay: number, endDay: number): Origin[] {
    const first = id * daysPerSeries;
    const rows = this.#of.all(first, first + endDay - 1, first + firstDay) as unknown as OriginRow[];
    return rows.map(({ name, ...origin }) => ({ sourceId: name, ...origin })).reverse();
  }
}
