import type { DatabaseSync } from 'node:sqlite';
import {
  decodeAggregateBatch,
  decodeAggregatesStored,
  decodeReadingBatch,
  decodeStoredNotice,
  encodeReadingBatch,
  payloadKey,
} from '@meterflow/contracts';
import type { SeriesName } from '@meterflow/readings';
import { withoutSeries } from './without-series.ts';

/** Whose dead letters and parked batches to erase: a tenant's, or what in them is of a meter or a series. */
export interface LetterErasure {
  readonly tenant: string;
  readonly series?: { readonly meter: string; readonly channel?: string };
  /** Of readings accepted up to this instant, and of aggregates with a ticket up to that one. */
  readonly upToMs: number;
  readonly ticket: number;
}

export interface ErasedLetters {
  /** Payloads that are gone, with their reasons. */
  readonly purged: number;
  /** Batches of which the readings of other series are left. */
  readonly reduced: number;
}

/** What was erased, so that letters about it that are put later lose it too. '' stands for all. */
export const letterErasures = `
create table if not exists erasures (
  tenant text not null,
  meter text not null,
  channel text not null,
  upToMs real not null,
  ticket integer not null,
  primary key (tenant, meter, channel)
) strict, without rowid;`;

/**
 * Notices don't say when the readings were accepted that they are about, and what can't be decoded says nothing: of what
 * is there they go with the rest, of what is put later they stay, as it may be about later readings.
 */
interface Rule extends LetterErasure {
  readonly unsure: 'drop' | 'keep';
}

interface Application extends Rule {
  readonly ids: readonly string[];
}

interface Letter {
  readonly id: string;
  readonly attributes: string;
  readonly payload: Uint8Array;
}

/** Within a transaction: leaves a tombstone, and drops or reduces the payloads that are there. */
export function eraseLetters(database: DatabaseSync, erasure: LetterErasure): ErasedLetters {
  const { tenant, series, upToMs, ticket } = erasure;
  database
    .prepare(
      `insert into erasures values (?, ?, ?, ?, ?) on conflict do update
       set upToMs = max(upToMs, excluded.upToMs), ticket = max(ticket, excluded.ticket)`,
    )
    .run(tenant, series?.meter ?? '', series?.channel ?? '', upToMs, ticket);
  return applied(database, { ...erasure, ids: idsOf(database, tenant), unsure: 'drop' });
}

/** Within the transaction that put them: what was erased before is dropped from them. */
export function eraseFromPut(database: DatabaseSync, ids: readonly string[], tenants: ReadonlySet<string>): void {
  for (const tenant of tenants) {
    const rows = database.prepare('select meter, channel, upToMs, ticket from erasures where tenant = ?').all(tenant);
    for (const { meter, channel, upToMs, ticket } of rows) {
      const erasure = erasureOf({ tenant, meter: String(meter), channel: String(channel) });
      applied(database, { ...erasure, upToMs: Number(upToMs), ticket: Number(ticket), ids, unsure: 'keep' });
    }
  }
}

/** What is there of it now. */
export function foundLetters(database: DatabaseSync, erasure: LetterErasure): number {
  const find = database.prepare(findLetter);
  return idsOf(database, erasure.tenant).filter((id) => {
    const letter = find.get(id, erasure.tenant) as unknown as Letter;
    return remainder(letter, { ...erasure, unsure: 'drop' }) !== letter.payload;
  }).length;
}

function erasureOf(named: {
  tenant: string;
  meter: string;
  channel: string;
}): Pick<LetterErasure, 'tenant' | 'series'> {
  const { tenant, meter, channel } = named;
  return meter === '' ? { tenant } : { tenant, series: { meter, ...(channel === '' ? {} : { channel }) } };
}

/** One payload in memory at a time. */
const findLetter = "select id, attributes, payload from letters where id = ? and tenant = ? and state <> 'purged'";

function idsOf(database: DatabaseSync, tenant: string): readonly string[] {
  return database
    .prepare("select id from letters where tenant = ? and state <> 'purged' order by id")
    .all(tenant)
    .map(({ id }) => String(id));
}

function applied(database: DatabaseSync, application: Application): ErasedLetters {
  const find = database.prepare(findLetter);
  const purge = database.prepare(purgeLetter);
  const reduce = database.prepare("update letters set payload = ?, reason = '' where id = ?");
  const erased = { purged: 0, reduced: 0 };
  for (const id of application.ids) {
    const letter = find.get(id, application.tenant) as unknown as Letter | undefined;
    const left = letter === undefined ? undefined : remainder(letter, application);
    if (letter === undefined || left === letter.payload) {
      continue;
    }
    if (left === undefined) {
      purge.run(id);
      erased.purged += 1;
    } else {
      reduce.run(left, id);
      erased.reduced += 1;
    }
  }
  return erased;
}

/** A purged letter stays as a row, so that the receipts that wait for it come to an end. */
export const purgeLetter = `update letters set state = 'purged', payload = x'', attributes = '{}', reason = ''
  where id = ? and state <> 'purged'`;

/** What may stay of a letter's payload: the same bytes, fewer, or none. */
function remainder({ attributes, payload }: Letter, rule: Rule): Uint8Array | undefined {
  const unsure = rule.unsure === 'drop' ? undefined : payload;
  try {
    return decodedRemainder(messageType(attributes), payload, { ...rule, unsure });
  } catch {
    return unsure;
  }
}

function decodedRemainder(
  type: string,
  payload: Uint8Array,
  erasure: LetterErasure & { readonly unsure: Uint8Array | undefined },
): Uint8Array | undefined {
  switch (type) {
    case 'ReadingBatch':
      return readingRemainder(payload, erasure);
    case 'AggregateBatch': {
      const { ticket, series } = decodeAggregateBatch(payload);
      return ticket > erasure.ticket || !names(series, erasure) ? payload : undefined;
    }
    case 'StoredNotice':
      return names(decodeStoredNotice(payload).touched.series, erasure) ? erasure.unsure : payload;
    case 'AggregatesStored':
      return names(decodeAggregatesStored(payload).touched.series, erasure) ? erasure.unsure : payload;
    default:
      return erasure.unsure;
  }
}

function readingRemainder(payload: Uint8Array, erasure: LetterErasure): Uint8Array | undefined {
  const batch = decodeReadingBatch(payload);
  if (batch.acceptedAtMs > erasure.upToMs || !names(batch.series, erasure)) {
    return payload;
  }
  const left = erasure.series === undefined ? undefined : withoutSeries(batch, (name) => isMeant(name, erasure));
  if (left === undefined) {
    return undefined;
  }
  // The ledger goes on knowing it by the batch that was accepted.
  const cause = batch.cause ?? { sourceId: batch.sourceId, key: payloadKey(payload), part: 0, parts: 1 };
  return encodeReadingBatch({ ...left, cause });
}

function names(series: readonly SeriesName[], erasure: LetterErasure): boolean {
  return erasure.series === undefined || series.some((name) => isMeant(name, erasure));
}

function isMeant({ meter, channel }: SeriesName, { series }: LetterErasure): boolean {
  return (
    series === undefined || (series.meter === meter && (series.channel === undefined || series.channel === channel))
  );
}

function messageType(attributes: string): string {
  const contentType = (JSON.parse(attributes) as Record<string, string>)['content-type'] ?? '';
  return /messageType="meterflow\.v1\.(\w+)"/.exec(contentType)?.[1] ?? '';
}
