import type { ErasedLetters, LetterErasure } from '../bus/erase-letters.ts';
import type { EmbeddedPlatform } from '../open-platform.ts';
import type { ErasedTexts, SourceErasure } from '../state/erase-sources.ts';
import type { Erased, Erasure } from '../stores/erasure.ts';
import { droppedFiles, removeDroppedFiles } from './dropped-files.ts';

/** What to erase: all of a tenant's readings, those of a meter, or of one channel of it. */
export interface ErasureRequest {
  readonly tenant: string;
  readonly series?: { readonly meter: string; readonly channel?: string };
  /** The instant: what was accepted up to it goes and never comes back. */
  readonly upToMs: number;
  /** Names the tombstone; letters and digits. */
  readonly id: string;
}

/** Counts by place. */
export interface PlacesErased {
  readonly raw: Erased;
  readonly validated: Erased;
  readonly aggregates: Erased;
  readonly receipts: ErasedTexts;
  /** Dead letters and parked batches. */
  readonly deadLetters: ErasedLetters;
  /** Files that the drop folder has taken; of a tenant alone, as each may hold many meters. */
  readonly droppedFiles: number;
}

export interface ErasureProof {
  readonly upToMs: number;
  /** The tombstone of the aggregates. */
  readonly ticket: number;
  readonly erased: PlacesErased;
  /** What a second look found: all 0. Readings accepted since the instant count here too. */
  readonly found: PlacesErased;
  /** Bodies that crashes had left, of whichever tenant. */
  readonly leftUploadsRemoved: number;
  /** Messages of the tenant that are kept for a replay. Handled once more, they store nothing that was erased. */
  readonly kept: { readonly messages: number; readonly untilMs: number | undefined };
  /** Files that the drop folder has taken and that stay. */
  readonly droppedFilesKept: number;
}

/** An upload that nobody has written to for so long is in no request any more. */
const uploadIdleMs = 60 * 60_000;

/**
 * Erases what is stored, wherever it is, and leaves tombstones, so that no redelivery, replay or restore brings it back.
 * May be called again, after a crash too: it goes on where it was. The order matters:
 * 1. the registry's entry, which a restore applies; 2. the readings; 3. a ticket, which is thus higher than that of any
 * computation which read them, then the aggregates; 4. both once more, for months that were computed from days in
 * between; 5. what else speaks of readings; 6. a second look.
 */
export async function eraseEverywhere(platform: EmbeddedPlatform, request: ErasureRequest): Promise<ErasureProof> {
  const { tenant, series, upToMs, id } = request;
  const name = `${tenant}/${upToMs}-${id}`;
  const known = await platform.registry.get('erasure', name);
  if (known === undefined) {
    await platform.registry.put('erasure', name, { value: { tenant, ...series, upToMs }, expectedRevision: 0 });
  }
  const scope = series === undefined ? { tenant } : { tenant, series };
  const raw = await platform.readings('raw').erase({ ...scope, upTo: upToMs });
  const validated = await platform.readings('validated').erase({ ...scope, upTo: upToMs });
  const { aggregates, ticket } = await eraseAggregates(platform, scope);
  const texts: SourceErasure = { tenant, upToMs, ...(series === undefined ? {} : { meter: series.meter }) };
  const letters: LetterErasure = { ...scope, upToMs, ticket };
  const receipts = await platform.sources.erase(texts);
  const deadLetters = await platform.deadLetters.erase(letters);
  const dropped = series === undefined ? await removeDroppedFiles(platform.directory, tenant) : 0;
  const { messages, untilMs } = platform.bus.kept(tenant);
  const droppedLeft = (await droppedFiles(platform.directory, tenant)).length;
  return {
    upToMs,
    ticket,
    erased: { raw, validated, aggregates, receipts, deadLetters, droppedFiles: dropped },
    leftUploadsRemoved: await platform.uploads.sweep(upToMs - uploadIdleMs),
    found: {
      raw: platform.readings('raw').found(scope),
      validated: platform.readings('validated').found(scope),
      aggregates: platform.aggregates.found(scope),
      receipts: await platform.sources.found(texts),
      deadLetters: { purged: await platform.deadLetters.found(letters), reduced: 0 },
      droppedFiles: series === undefined ? droppedLeft : 0,
    },
    kept: { messages, untilMs },
    droppedFilesKept: droppedLeft,
  };
}

async function eraseAggregates(
  { aggregates, tickets }: EmbeddedPlatform,
  scope: Omit<Erasure, 'upTo'>,
): Promise<{ readonly aggregates: Erased; readonly ticket: number }> {
  const first = await aggregates.erase({ ...scope, upTo: await tickets.take(scope.tenant) });
  const ticket = await tickets.take(scope.tenant);
  const second = await aggregates.erase({ ...scope, upTo: ticket });
  return { ticket, aggregates: { ...first, rows: first.rows + second.rows } };
}
