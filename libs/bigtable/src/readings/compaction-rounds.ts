import { changeEntry, type Registry } from '@meterflow/registry';
import type { Clock, Telemetry } from '@meterflow/stage';
import type { BigtableReadingStore } from './reading-store.ts';

/**
 * A round compacts the table once, in slices of the hashes that keys begin with. A slice is due every `roundMs / slices`,
 * so that a table of any size is read at an even, low rate: 6 TiB in a week are 10 MiB/s.
 */
export const compactionLimits = {
  roundMs: 7 * 86_400_000,
  slices: 256,
  /** A day of UTC counts as closed so long after its end: every local day has ended, and nearly all of it has come. */
  closedAfterMs: 3 * 86_400_000,
  /** See CompactionSpan. */
  settledMs: 3_600_000,
  /** Between two looks at what is due, and after a failure. */
  lookMs: 60_000,
};
export type CompactionLimits = typeof compactionLimits;

export interface CompactionRoundsOptions {
  /** Of either layer: both are compacted. */
  readonly readings: Pick<BigtableReadingStore, 'compact'>;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly limits?: Partial<CompactionLimits>;
}

const place = { kind: 'setting', name: '/compaction' } as const;
const hashes = 65_536;

/**
 * Compacts closed days for as long as a process lives. How far it came stands in the registry: the number of the last slice
 * that is done, counted by the clock, so that whoever comes next goes on there. Two processes at once do the same slice
 * twice, which is harmless, and one that dies leaves its slice to the next.
 */
export class CompactionRounds {
  readonly #options: CompactionRoundsOptions;
  readonly #limits: CompactionLimits;

  constructor(options: CompactionRoundsOptions) {
    this.#options = options;
    this.#limits = { ...compactionLimits, ...options.limits };
  }

  /** Resolves once the signal has aborted. Never rejects: what fails is told, and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, telemetry } = this.#options;
    while (!signal.aborted) {
      try {
        if (await this.step(signal)) {
          continue;
        }
      } catch (error) {
        telemetry.count('bigtable_compaction_failures_total', 1, {});
        telemetry.logger.warn('compaction failed and is tried again', { error: String(error) });
      }
      await clock.sleep(this.#limits.lookMs, signal);
    }
  }

  /** Does the next slice that is due; false where there is none, or where the signal ended it. */
  async step(signal: AbortSignal): Promise<boolean> {
    const { registry, readings, clock, telemetry } = this.#options;
    const { slices, roundMs, closedAfterMs, settledMs } = this.#limits;
    const nowMs = clock.nowMs();
    const due = Math.floor(nowMs / (roundMs / slices));
    const done = doneOf((await registry.get(place.kind, place.name))?.value) ?? due - 1;
    telemetry.gauge('bigtable_compaction_slices_due_now', Math.max(0, due - done), {});
    if (done >= due) {
      return false;
    }
    // After a long pause one round is owed, not one for each that was missed.
    const next = Math.max(done + 1, due - slices + 1);
    const { rowsSeen, rowsChanged, rowsSkipped, cellsRemoved, cellsSet } = await readings.compact({
      keys: sliceKeys(next % slices, slices),
      fromMs: 0,
      closedBeforeMs: nowMs - closedAfterMs,
      acceptedBeforeMs: nowMs - settledMs,
      signal,
    });
    telemetry.count('bigtable_compaction_rows_total', rowsChanged, { outcome: 'changed' });
    telemetry.count('bigtable_compaction_rows_total', rowsSkipped, { outcome: 'skipped' });
    telemetry.count('bigtable_compaction_rows_total', rowsSeen - rowsChanged - rowsSkipped, { outcome: 'kept' });
    telemetry.count('bigtable_compaction_cells_removed_total', Math.max(0, cellsRemoved - cellsSet), {});
    if (signal.aborted) {
      return false;
    }
    await changeEntry(registry, place, (entry) => ({ done: Math.max(doneOf(entry?.value) ?? 0, next) }));
    return true;
  }
}

function doneOf(value: unknown): number | undefined {
  const done: unknown = (value as { readonly done?: unknown } | undefined)?.done;
  return typeof done === 'number' ? done : undefined;
}

/** The keys of a slice: an even share of the hashes. */
export function sliceKeys(slice: number, slices: number): { readonly from: Buffer; readonly to: Buffer } {
  const bound = (hash: number): Buffer => {
    const key = Buffer.alloc(2);
    key.writeUInt16BE(hash);
    return key;
  };
  const share = hashes / slices;
  return {
    from: slice === 0 ? Buffer.of(0) : bound(slice * share),
    to: slice === slices - 1 ? Buffer.alloc(0) : bound((slice + 1) * share),
  };
}
