import {
  addOutcomes,
  ledgerLayers,
  noOutcomes,
  type LedgerLayer,
  type LedgerSummary,
  type OutcomeCounts,
} from '@meterflow/idempotent-writes';
import type { StoredRow } from '../wire/read-rows.ts';
import {
  decodeFailed,
  decodeStored,
  firstCells,
  failedMark,
  parseQualifier,
  raisedMark,
  storedMark,
  type LedgerPlace,
} from './ledger-cell.ts';

interface Part {
  readonly parts: number;
  readonly part: number;
}

/** What one accepted batch's row says of a layer. */
interface BatchLayer {
  readonly stored: (Part & { readonly counts: OutcomeCounts; readonly micros: number })[];
  readonly failed: (Part & { readonly state: 'dead' | 'parked' })[];
  raised: OutcomeCounts;
}

type Sums = { -readonly [Field in keyof LedgerSummary]-?: LedgerSummary[Field] };

/** Adds up a source's rows: one summary for each layer, in their order. */
export class LedgerSums {
  readonly #sums: readonly Sums[] = ledgerLayers.map((layer) => ({
    layer,
    batchesStored: 0,
    batchesDead: 0,
    batchesParked: 0,
    counts: noOutcomes,
    lastAtMs: 0,
  }));

  /** The row of one accepted batch. */
  add(row: StoredRow): void {
    const layers = new Map<LedgerLayer, BatchLayer>();
    for (const { qualifier, value, micros } of firstCells(row.cells)) {
      const place = parseQualifier(qualifier);
      if (place !== undefined) {
        addCell(layers, place, { value, micros });
      }
    }
    for (const sums of this.#sums) {
      const batch = layers.get(sums.layer);
      if (batch !== undefined) {
        addBatch(sums, batch);
      }
    }
  }

  get summaries(): readonly LedgerSummary[] {
    return this.#sums.map(({ lastAtMs, ...summary }) => (lastAtMs === 0 ? summary : { ...summary, lastAtMs }));
  }
}

function addCell(
  layers: Map<LedgerLayer, BatchLayer>,
  { mark, layer, parts, part }: LedgerPlace,
  { value, micros }: { readonly value: Buffer; readonly micros: number },
): void {
  const batch = layers.get(layer) ?? { stored: [], failed: [], raised: noOutcomes };
  layers.set(layer, batch);
  if (mark === storedMark) {
    batch.stored.push({ parts, part, counts: decodeStored(value).counts, micros });
  } else if (mark === raisedMark) {
    batch.raised = addOutcomes(batch.raised, decodeStored(value).counts);
  } else if (mark === failedMark) {
    batch.failed.push({ parts, part, state: decodeFailed(value) });
  }
}

function addBatch(sums: Sums, { stored, failed, raised }: BatchLayer): void {
  const complete = isComplete(stored);
  // A batch that was cut otherwise under a later activation is counted once: as it was cut first.
  const [first] = stored.toSorted((a, b) => a.micros - b.micros);
  for (const { parts, counts, micros } of stored) {
    sums.lastAtMs = Math.max(sums.lastAtMs, Math.floor(micros / 1_000));
    if (parts === first?.parts) {
      sums.counts = addOutcomes(sums.counts, counts);
    }
  }
  sums.counts = addOutcomes(sums.counts, raised);
  if (complete) {
    sums.batchesStored += 1;
    return;
  }
  const open = failed.filter(({ parts, part }) => !stored.some((row) => row.parts === parts && row.part === part));
  if (open.some(({ state }) => state === 'dead')) {
    sums.batchesDead += 1;
  } else if (open.length > 0) {
    sums.batchesParked += 1;
  }
}

/** True when the parts of one accepted batch hold every part of one cut. */
function isComplete(rows: readonly Part[]): boolean {
  return rows.some(({ parts }) => rows.filter((row) => row.parts === parts).length === parts);
}
