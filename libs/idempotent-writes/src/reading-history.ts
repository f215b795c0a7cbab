import type { Segment, SeriesDays } from './reading-store.ts';

/** Readings of a series that one batch brought, `count` of them, `stepMs` apart: where they stood. */
export interface Origin {
  /** Acceptance and delivery number. */
  readonly sourceId: string;
  readonly acceptedAtMs: number;
  /** The provider's own version; 0 where it declared none. */
  readonly declared: number;
  readonly startMs: number;
  /** 0 for one reading alone. */
  readonly stepMs: number;
  readonly count: number;
  readonly lengthMs: number;
  /** In the source, from 1 on; reading `i` stood in `line + i * lineStep`. */
  readonly line: number;
  readonly lineStep: number;
}

/** Of what does not count any more. */
export interface HistorySegment extends Segment {
  /**
   * Who `brought` readings that never stood (a later version was there, or a greater value of their own), or brought what
   * took the place of theirs under the same version (`displaced`). Absent where a later version did, and where a store does
   * not keep it.
   */
  readonly by?: { readonly sourceId: string; readonly how: 'brought' | 'displaced' };
}

/** What a store knows of readings beside the latest: asked when somebody wants to know why a value is what it is. */
export interface ReadingHistory {
  /** What does not count any more: superseded, said again since, or come too late; oldest first within each UTC day. */
  history(days: SeriesDays): Promise<readonly HistorySegment[]>;
  /**
   * Every batch that brought raw readings of the series into [fromMs, toMs), in the order of storing, the latest ones
   * where there are more than {@link originsMax}. Undefined where the store does not keep where they came from.
   */
  origins(days: SeriesDays): Promise<readonly Origin[] | undefined>;
  /**
   * The readings as they were known: of each the latest version that counts by {@link KnownBy}. An erasure takes what it
   * erased out of what was known before it, too.
   */
  asOf(days: SeriesDays, known: KnownBy): Promise<readonly Segment[]>;
}

/** What was known at an instant. */
export interface KnownBy {
  /** What had been accepted by then. */
  readonly instantMs: number;
  /** The newest activation that there was: validated readings of later ones were not known. All of them unless told. */
  readonly activationMax?: number;
}

export const originsMax = 10_000;

/** The line of the source that the reading of this start and length stood in; undefined where the batch had none such. */
export function lineOf(
  origin: Origin,
  reading: { readonly startMs: number; readonly lengthMs: number },
): number | undefined {
  const { startMs, stepMs, count, lengthMs, line, lineStep } = origin;
  const offsetMs = reading.startMs - startMs;
  const index = stepMs === 0 ? (offsetMs === 0 ? 0 : -1) : offsetMs / stepMs;
  const isThere = reading.lengthMs === lengthMs && Number.isInteger(index) && index >= 0 && index < count;
  return isThere ? line + index * lineStep : undefined;
}
