import {
  addOutcomes,
  ledgerLayers,
  noOutcomes,
  type LedgerLayer,
  type LedgerSummary,
  type OutcomeCounts,
} from '@meterflow/idempotent-writes';
import { noRemarks, rejectsKeptMax, type Receipt, type Reject, type Remark, type SourceState } from './receipt.ts';
import type { Acceptance, Closing } from './sources.ts';

/** All that is known of one delivery. */
export interface SourceFacts {
  readonly sourceId: string;
  readonly acceptance: Acceptance;
  /** When this delivery began. */
  readonly startedAtMs: number;
  /** Absent while its lines still come in. */
  readonly closing: Closing | undefined;
  readonly ledger: readonly LedgerSummary[];
  /** How many lines are rejected so far, and the first {@link rejectsShownMax} of them. */
  readonly rejected: number;
  readonly rejects: readonly Reject[];
  readonly remarks: readonly Remark[];
  readonly nowMs: number;
}

const aggregateLayers = ['hour', 'day', 'month'] as const satisfies readonly LedgerLayer[];

/**
 * The receipt that the facts add up to. A source is complete when it is closed and at every layer just as many batches
 * are accounted for as it has: "the backlog is empty" says nothing, and with more than it has it stays `processing`,
 * for then something is wrong that nobody should take for complete. Until it is closed, `accepted` counts what is stored so far.
 */
export function makeReceipt(facts: SourceFacts): Receipt {
  const { acceptance, closing } = facts;
  const raw = countsOf(facts, 'raw');
  const aggregates = aggregateLayers.map((name) => countsOf(facts, name)).reduce(addOutcomes);
  const accepted = closing?.accepted ?? sumOf(raw);
  const rejected = closing?.rejected ?? facts.rejected;
  const state = sourceState(facts);
  return {
    sourceId: facts.sourceId,
    tenant: acceptance.tenant,
    label: acceptance.label,
    state,
    acceptedAt: new Date(acceptance.acceptedAtMs).toISOString(),
    received: closing?.received ?? accepted + rejected,
    accepted,
    rejected,
    rejectsListed: Math.min(rejected, rejectsKeptMax),
    rejects: facts.rejects,
    ...noRemarks,
    ...closing?.remarked,
    remarks: facts.remarks,
    duplicates: raw.duplicate,
    inserted: raw.inserted,
    superseded: raw.superseded,
    shadowed: raw.shadowed,
    conflicts: raw.conflict,
    aggregatesWritten: aggregates.inserted + aggregates.superseded,
    batches: closing?.batches ?? 0,
    // A batch may be missing at several layers; it is one batch all the same.
    batchesDead: Math.max(0, ...facts.ledger.map(({ batchesDead }) => batchesDead)),
    batchesParked: Math.max(0, ...facts.ledger.map(({ batchesParked }) => batchesParked)),
    seconds: Math.max(0, (state === 'complete' ? completedAtMs(facts) : facts.nowMs) - facts.startedAtMs) / 1000,
  };
}

/** True when no later outcome can change the receipt: it may be kept as it is. A dead letter may still be retried. */
export function isFinal(receipt: Receipt): boolean {
  return receipt.state === 'complete' && receipt.batchesDead === 0 && receipt.batchesParked === 0;
}

function sourceState({ closing, ledger }: SourceFacts): SourceState {
  if (closing === undefined) {
    return 'receiving';
  }
  const accountedFor = (layer: LedgerLayer): boolean => {
    const summary = ledger.find((candidate) => candidate.layer === layer);
    const batches = summary === undefined ? 0 : summary.batchesStored + summary.batchesDead + summary.batchesParked;
    // Not more either: a batch that the closing does not know of could stand in for one that is missing.
    return batches === closing.batches;
  };
  return ledgerLayers.every(accountedFor) ? 'complete' : 'processing';
}

/** The time of the last row of all; where the ledger keeps no times, the time of looking. */
function completedAtMs({ closing, ledger, nowMs }: SourceFacts): number {
  return Math.max(closing?.atMs ?? 0, ...ledger.map(({ lastAtMs }) => lastAtMs ?? nowMs));
}

function countsOf({ ledger }: SourceFacts, layer: LedgerLayer): OutcomeCounts {
  return ledger.find((summary) => summary.layer === layer)?.counts ?? noOutcomes;
}

function sumOf(counts: OutcomeCounts): number {
  return counts.inserted + counts.superseded + counts.shadowed + counts.duplicate + counts.conflict;
}
