import type { Lane } from '@meterflow/contracts';
import type { Mapping, ReaderCounts } from '@meterflow/formats';
import type { Reject, SourceKind, Sources } from '@meterflow/receipts';
import type { KeptLengths, SeriesEnds, UnknownSeries } from '@meterflow/registry';
import type { Publisher } from '@meterflow/stage';
import type { Patience } from './attempt.ts';
import type { SourceFormat } from './open-reader.ts';

export interface SourceRequest {
  readonly tenant: string;
  readonly kind: SourceKind;
  readonly lane: Lane;
  /** What makes a second delivery the same source; see `AcceptanceRequest`. */
  readonly identity: string;
  /** Names this delivery where its sender may ask for it again; see `AcceptanceRequest`. */
  readonly delivery?: string;
  readonly contentHash: string;
  readonly label: string;
  readonly format: SourceFormat;
  /** For a resume only where the acceptance was made under this very version; else that one is asked for. */
  readonly mapping: Mapping;
  /** Declared by `--source-version`; 0 when not given. */
  readonly sourceVersion: number;
  /** The content from its first byte; called again for each pass. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
  /** Called when all is read, before the closing. Where it rejects, the source stays unfinished, and so does this. */
  readonly beforeClosing?: () => Promise<void>;
  /** Called about once a piece of content. */
  readonly onProgress?: (progress: { readonly bytes: number; readonly counts: ReaderCounts }) => void;
}

export interface TakeInPorts extends Patience {
  readonly sources: Sources;
  readonly publisher: Publisher;
  /** The number of the tenant's newest activation, known no longer ago than the activation lease. */
  readonly newestActivation: (tenant: string) => Promise<number>;
  /** A tenant's mapping as it was under this version, `name@version`; undefined where it is gone. */
  readonly mappingAt: (tenant: string, version: string) => Promise<Mapping | undefined>;
  /** The registered interval lengths of a tenant's series, now and as an acceptance fixed them. */
  readonly lengths: Pick<KeptLengths, 'newest' | 'at'>;
  /** Where series have come to, for mappings with a `sequence`. */
  readonly ends: Pick<SeriesEnds, 'fix' | 'settle' | 'refuse'>;
  /** Whether the tenant takes readings of registered series alone. */
  readonly refusesUnknown: (tenant: string) => Promise<boolean>;
  /** Which series of a delivery were not registered when it came. */
  readonly unknown: Pick<UnknownSeries, 'fix' | 'of' | 'forget'>;
  /** How long readings are taken after their start: the windows of older ones are closed. */
  readonly keptMs: number;
}

export interface TakenIn {
  readonly sourceId: string;
  readonly counts: ReaderCounts;
  readonly batches: number;
  /** True where this very delivery was closed before: nothing was done again. */
  readonly replayed: boolean;
  /** Why the source as a whole, or all that follows from some place on, was not taken. */
  readonly refusal?: Reject;
}
