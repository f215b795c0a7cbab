import {
  ledgerLayers,
  noOutcomes,
  type Ledger,
  type LedgerLayer,
  type LedgerSummary,
} from '@meterflow/idempotent-writes';

/** A ledger that says what a test has it say, and counts how often it is asked. */
export class ScriptedLedger implements Ledger {
  asked = 0;
  readonly #summaries = new Map<string, LedgerSummary[]>();

  summary(sourceId: string): Promise<readonly LedgerSummary[]> {
    this.asked += 1;
    return Promise.resolve(this.#summaries.get(sourceId) ?? []);
  }

  say(sourceId: string, layer: LedgerLayer, summary: Partial<Omit<LedgerSummary, 'layer'>>): void {
    const others = (this.#summaries.get(sourceId) ?? []).filter((other) => other.layer !== layer);
    const said = { layer, batchesStored: 0, batchesDead: 0, batchesParked: 0, counts: noOutcomes, ...summary };
    this.#summaries.set(sourceId, [...others, said]);
  }

  sayAll(sourceId: string, summary: Partial<Omit<LedgerSummary, 'layer'>>): void {
    for (const layer of ledgerLayers) {
      this.say(sourceId, layer, summary);
    }
  }
}
