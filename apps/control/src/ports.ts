import type { AggregateStore, ReadingHistory, ReadingStore } from '@meterflow/idempotent-writes';
import type { Layer, SeriesName } from '@meterflow/readings';
import type { Sources } from '@meterflow/receipts';
import type {
  Activations,
  DueRecomputes,
  Groups,
  GroupRegistry,
  Keys,
  RegisterCalendars,
  Reprocesses,
  SeriesRegistry,
  Tenants,
  TouchedSeries,
} from '@meterflow/registry';
import type { ErasureProof } from '@meterflow/service';
import type { DeadLetter, DeadLetterLine, DeadLetterQuery } from '@meterflow/stage';
import type { Audited } from './audited.ts';
import type { BacktestDesk } from './backtest/backtest-desk.ts';
import type { FlowTrace } from './explain/flow-trace.ts';
import type { RuleDesk } from './rule-desk.ts';

/** Dead letters and parked batches of all stages. */
export interface DeadLetterDesk {
  /** Newest first. */
  list(query: DeadLetterQuery): Promise<readonly DeadLetterLine[]>;
  /** Undefined when there is none of this id, or when it was purged. */
  show(id: string): Promise<DeadLetter | undefined>;
  /** Sends each to its own stage once more, stamped anew; resolves with the ids that it was done to. */
  retry(ids: readonly string[]): Promise<readonly string[]>;
  /** Drops each for good; resolves with the ids that it was done to. */
  purge(ids: readonly string[]): Promise<readonly string[]>;
  counts(): Promise<Readonly<Record<DeadLetterLine['state'], number>>>;
}

export interface ErasureRequest {
  readonly tenant: string;
  /** Absent: all readings of the tenant. Without a channel: all of the meter. */
  readonly series?: { readonly meter: string; readonly channel?: string };
}

/** What was erased: what was accepted up to the instant is gone and stays so. */
export interface Tombstone extends ErasureRequest {
  readonly id: string;
  readonly upToMs: number;
}

export type Erasure = Tombstone & ErasureProof;

/** Erases readings for good. */
export interface ErasureDesk {
  /** Resolves with the proof. Rejected or killed in between, it is to be called again. */
  erase(request: ErasureRequest): Promise<Erasure>;
  /** Oldest first. */
  list(tenant: string): Promise<readonly Tombstone[]>;
}

/** What is told to aggregation; it is done when no message waits any more. */
export interface Recomputing {
  readonly series: number;
  readonly notices: number;
}

/** Has days and months computed anew from what is stored. */
export interface RecomputeDesk {
  /** Resolves when it is told, durably. Rejected, aborted or killed in between, it is to be called again. */
  recompute(
    request: { readonly tenant: string; readonly series?: SeriesName },
    signal?: AbortSignal,
  ): Promise<Recomputing>;
  /** The same of these series, each within its span alone. */
  recomputeTouched(
    tenant: string,
    touched: Iterable<TouchedSeries> | AsyncIterable<TouchedSeries>,
    signal?: AbortSignal,
  ): Promise<Recomputing>;
  /** The same of all these days, also where nothing is stored of them any more: groups may hold what was. */
  recomputeDays(tenant: string, days: readonly TouchedSeries[], signal?: AbortSignal): Promise<Recomputing>;
}

export interface Backlog {
  readonly subscription: string;
  readonly topic: string;
  /** Not acked yet. */
  readonly messages: number;
  readonly bytes: number;
  readonly oldestPublishedAtMs: number | undefined;
  /** In work at this moment. */
  readonly leased: number;
}

/** Everything that the control API reads and changes. */
export interface ControlPorts {
  readings(layer: Layer): Pick<ReadingStore, 'read'>;
  /** What is known of readings beside the latest. */
  history(layer: Layer): ReadingHistory;
  readonly aggregates: Pick<AggregateStore, 'read'>;
  readonly activations: Pick<Activations, 'get' | 'list'>;
  readonly sources: Sources;
  readonly tenants: Tenants;
  readonly keys: Keys;
  readonly deadLetters: DeadLetterDesk;
  readonly erasures: ErasureDesk;
  readonly series: Pick<
    SeriesRegistry,
    'all' | 'apply' | 'current' | 'set' | 'setDefault' | 'beginDefault' | 'tellAgain'
  >;
  readonly groups: GroupRegistry;
  /** As calendars are now, uncached. */
  readonly calendars: Pick<RegisterCalendars, 'list' | 'put' | 'remove' | 'require' | 'snapshot'>;
  /** As groups are now, uncached. */
  readonly groupsNow: Pick<Groups, 'snapshot'>;
  readonly recomputes: RecomputeDesk;
  /** What is to be computed anew because of changes that are being made. */
  readonly dueRecomputes: DueRecomputes;
  readonly rules: RuleDesk;
  readonly backtests: Pick<BacktestDesk, 'prepare'>;
  readonly trace: Pick<FlowTrace, 'afterEach'>;
  readonly reprocesses: Pick<Reprocesses, 'add' | 'cancel' | 'get' | 'list'>;
  readonly audited: Audited;
  /** Unique: letters and digits. */
  readonly newId: () => string;
  /** Of every subscription. */
  readonly backlogs: () => Promise<readonly Backlog[]>;
  readonly nowMs: () => number;
  /** How long readings are kept after the day that they are of. */
  readonly readingsRetentionMs: number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}
