import type { Erased, ErasableStore, Erasure, ErasureScope, RaisableTickets } from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import type { ErasableSources, ErasedTexts, SourceErasure, Uploads } from '@meterflow/receipts';
import {
  eraseDaysMade,
  RegisterCalendars,
  registerChannel,
  SeriesEnds,
  ToldSince,
  type DueRecompute,
  type Registry,
} from '@meterflow/registry';
import type { ErasableLetters, ErasedLetters, LetterErasure } from '@meterflow/stage';
import { noteGroupsOf, type StoredDays } from './groups-of-erased.ts';

/** What to erase: all of a tenant's readings, those of a meter, or of one channel of it. */
export interface ErasureRequest {
  readonly tenant: string;
  readonly series?: { readonly meter: string; readonly channel?: string };
  /** The instant: what was accepted up to it goes and never comes back. */
  readonly upToMs: number;
  /** Names the tombstone; letters and digits. */
  readonly id: string;
  /** The tombstone of the aggregates, where the erasure was done before: applied again, it covers what it covered then. */
  readonly ticket?: number;
}

/** Everything of a platform in which readings of a household may be. */
export interface ErasablePlaces {
  readonly registry: Registry;
  readonly tickets: RaisableTickets;
  readonly aggregates: ErasableStore;
  /** What series gave to groups. */
  readonly contributions: ErasableStore;
  readonly sources: ErasableSources;
  readonly deadLetters: ErasableLetters;
  readonly uploads: Pick<Uploads, 'sweep'>;
  readings(layer: Layer): ErasableStore;
  /** Of layer validated. */
  readonly storedDays: StoredDays;
  /** Messages of a tenant that the bus keeps for a replay: how many, where it can tell, and until when. */
  kept(tenant: string): Promise<KeptMessages>;
  /** Files of a tenant that the drop folder has taken, where there is one; each may hold many meters. */
  readonly droppedFiles?: DroppedFiles;
  /** Resolves to the number of rows that went; absent where no warehouse is filled. */
  readonly warehouse?: (erasure: LetterErasure) => Promise<number>;
}

export interface KeptMessages {
  readonly messages?: number;
  readonly untilMs?: number | undefined;
}

export interface DroppedFiles {
  /** Resolves to how many there were. */
  remove(tenant: string): Promise<number>;
  count(tenant: string): Promise<number>;
}

/** Counts by place. */
export interface PlacesErased {
  readonly raw: Erased;
  readonly validated: Erased;
  /** What series gave to groups included. */
  readonly aggregates: Erased;
  readonly receipts: ErasedTexts;
  /** Dead letters and parked batches. */
  readonly deadLetters: ErasedLetters;
  /** Of a tenant alone. */
  readonly droppedFiles: number;
}

export interface ErasureProof {
  readonly upToMs: number;
  /** The tombstone of the aggregates. */
  readonly ticket: number;
  readonly erased: PlacesErased;
  /** What a second look found: all 0. Readings accepted since the instant may count here too. */
  readonly found: PlacesErased;
  /** Sums of groups that hold what was erased until they are computed anew: noted durably, for the caller or the next control. */
  readonly due?: DueRecompute;
  /** Rows that left the warehouse; absent where there is none. */
  readonly warehouseRows?: number;
  /** Bodies that crashes had left, of whichever tenant. */
  readonly leftUploadsRemoved: number;
  /** Messages of the tenant that are kept for a replay. Handled once more, they store nothing that was erased. */
  readonly kept: KeptMessages;
  /** Files that the drop folder has taken and that stay. */
  readonly droppedFilesKept: number;
}

/** An upload that nobody has written to for so long is in no request any more. */
const uploadIdleMs = 60 * 60_000;

/**
 * Erases what is stored, wherever it is, and leaves tombstones, so that no redelivery, replay or restore brings it back.
 * May be called again, after a crash too: it goes on where it was. The order matters:
 * 1. the registry's entry, which a restore applies, and a note of the groups that hold something of it; 2. the readings;
 * 3. the aggregates; 4. what else speaks of readings; 5. a second look.
 */
export async function eraseEverywhere(places: ErasablePlaces, request: ErasureRequest): Promise<ErasureProof> {
  const { tenant, series, upToMs } = request;
  // 1.
  const known = await register(places.registry, request);
  const due = await noteGroupsOf(places, request);
  // 2.
  const scope = series === undefined ? { tenant } : { tenant, series };
  const raw = await places.readings('raw').erase({ ...scope, upTo: upToMs });
  const validated = await places.readings('validated').erase({ ...scope, upTo: upToMs });
  // 3.
  const { ticket, aggregates } = await eraseAggregates(places, { ...request, ...known });
  // 4.
  const texts: SourceErasure = { tenant, upToMs, ...(series === undefined ? {} : { meter: series.meter }) };
  const letters: LetterErasure = { ...scope, upToMs, ticket };
  const receipts = await places.sources.erase(texts);
  const deadLetters = await places.deadLetters.erase(letters);
  await eraseRegisters(places, letters);
  await new SeriesEnds(places.registry).erase(tenant, series);
  await new ToldSince(places.registry).erase(tenant, series);
  await eraseDaysMade(places.registry, tenant, series);
  const droppedFiles = series === undefined ? ((await places.droppedFiles?.remove(tenant)) ?? 0) : 0;
  const warehouseRows = await places.warehouse?.(letters);
  const leftUploadsRemoved = await places.uploads.sweep(upToMs - uploadIdleMs);
  // 5.
  const kept = await places.kept(tenant);
  const droppedFilesKept = (await places.droppedFiles?.count(tenant)) ?? 0;
  return {
    upToMs,
    ticket,
    erased: { raw, validated, aggregates, receipts, deadLetters, droppedFiles },
    found: {
      ...(await lookAgain(places, { texts, letters })),
      droppedFiles: series === undefined ? droppedFilesKept : 0,
    },
    ...(due === undefined ? {} : { due }),
    ...(warehouseRows === undefined ? {} : { warehouseRows }),
    leftUploadsRemoved,
    kept,
    droppedFilesKept,
  };
}

/**
 * 1. A ticket, which is higher than that of any computation that read what is erased by now, then the aggregates; 2. both
 * once more, for months that were computed from days in between. Applied again it is the ticket of then, for what has a
 * higher one was computed from what came since.
 */
async function eraseAggregates(
  places: ErasablePlaces,
  request: ErasureRequest,
): Promise<{ readonly ticket: number; readonly aggregates: Erased }> {
  const { tenant, series } = request;
  const { registry, tickets } = places;
  const scope = series === undefined ? { tenant } : { tenant, series };
  if (request.ticket !== undefined) {
    await tickets.raise(tenant, request.ticket);
    return { ticket: request.ticket, aggregates: await eraseComputed(places, { ...scope, upTo: request.ticket }) };
  }
  // 1.
  const first = await eraseComputed(places, { ...scope, upTo: await tickets.take(tenant) });
  // 2.
  const ticket = await tickets.take(tenant);
  const second = await eraseComputed(places, { ...scope, upTo: ticket });
  await register(registry, { ...request, ticket });
  return { ticket, aggregates: { ...first, rows: first.rows + second.rows } };
}

/** What else speaks of registers of calendars; their sums go with the aggregates. */
async function eraseRegisters(
  { registry, deadLetters, warehouse }: ErasablePlaces,
  letters: LetterErasure,
): Promise<void> {
  for (const register of await registersOf(registry, letters)) {
    await deadLetters.erase(register);
    await warehouse?.(register);
  }
}

/** What was computed of it under a ticket. */
async function eraseComputed(
  { registry, aggregates, contributions }: ErasablePlaces,
  erasure: Erasure,
): Promise<Erased> {
  const own = await aggregates.erase(erasure);
  const given = await contributions.erase(erasure);
  let rows = own.rows + given.rows;
  for (const register of await registersOf(registry, erasure)) {
    rows += (await aggregates.erase(register)).rows;
  }
  return { ...own, rows };
}

async function foundComputed(
  { registry, aggregates, contributions }: ErasablePlaces,
  erasure: Erasure,
): Promise<Erased> {
  const own = await aggregates.found(erasure);
  const given = await contributions.found(erasure);
  let rows = own.rows + given.rows;
  for (const register of await registersOf(registry, erasure)) {
    rows += (await aggregates.found(register)).rows;
  }
  return { ...own, rows };
}

/**
 * The same of what registers of calendars count of one channel, which stands under channels of its own: of every calendar
 * that the tenant ever had. A whole meter, or tenant, has them in it.
 */
async function registersOf<Scope extends ErasureScope>(registry: Registry, scope: Scope): Promise<readonly Scope[]> {
  const { meter, channel } = scope.series ?? {};
  if (meter === undefined || channel === undefined) {
    return [];
  }
  const calendars = await new RegisterCalendars({ registry, nowMs: () => 0, cacheMs: 0 }).snapshot(scope.tenant);
  return calendars.registersEver().flatMap(({ calendar, register }) => {
    const own = registerChannel(channel, calendar, register);
    return own === undefined ? [] : [{ ...scope, series: { meter, channel: own } }];
  });
}

/** Keeps it in the registry, with its ticket once that is known; resolves to the ticket that is kept, if any. */
async function register(
  registry: Registry,
  { tenant, series, upToMs, id, ticket }: ErasureRequest,
): Promise<{ readonly ticket?: number }> {
  const name = `${tenant}/${upToMs}-${id}`;
  const entry = await registry.get('erasure', name);
  const kept = entry?.value as { readonly ticket?: number } | undefined;
  if (kept !== undefined && (kept.ticket !== undefined || ticket === undefined)) {
    return kept.ticket === undefined ? {} : { ticket: kept.ticket };
  }
  const value = { tenant, ...series, upToMs, ...(ticket === undefined ? {} : { ticket }) };
  await registry.put('erasure', name, { value, expectedRevision: entry?.revision ?? 0 });
  return ticket === undefined ? {} : { ticket };
}

async function lookAgain(
  places: ErasablePlaces,
  { texts, letters }: { readonly texts: SourceErasure; readonly letters: LetterErasure },
): Promise<Omit<PlacesErased, 'droppedFiles'>> {
  const { upToMs, ticket, ...scope } = letters;
  return {
    raw: await places.readings('raw').found({ ...scope, upTo: upToMs }),
    validated: await places.readings('validated').found({ ...scope, upTo: upToMs }),
    aggregates: await foundComputed(places, { ...scope, upTo: ticket }),
    receipts: await places.sources.found(texts),
    deadLetters: { purged: await places.deadLetters.found(letters), reduced: 0 },
  };
}
