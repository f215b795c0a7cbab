import {
  missingCode,
  readingCount,
  RunsBuilder,
  RunsCursor,
  sliceBatch,
  versionAt,
  versionsOf,
  type ReadingBatch,
  type ReadingColumns,
  type Runs,
  type Versions,
} from '@meterflow/readings';
import { exactParts } from './exact-column.ts';
import { pickReadings } from './pick-readings.ts';
import { change, failureReason, type FlowResult, type RuleFailureCode } from './sandbox.ts';

export interface ApplyOptions {
  /** Key of the accepted batch: the validated ones go back to it. */
  readonly key: string;
  /** Decimals that a changed value is rounded to. */
  readonly decimals: number;
  /** What becomes of readings that a rule failed on. The other policies are for whole batches: they come before this. */
  readonly onFailure: 'skip' | 'reject';
}

export interface AppliedFlow {
  /** The batch after the rules; more than one where one count of decimals does not hold all its values. */
  readonly validated: readonly ReadingBatch[];
  /**
   * The readings that a rule or a policy rejected, raw, with the reason: for the dead letters. In `validated` each of
   * them is an absence.
   */
  readonly rejected: ReadingBatch | undefined;
}

const { value: valueBit, quality: qualityBit, unit: unitBit, method: methodBit, reason: reasonBit } = change;
const { rejected: rejectedBit, failed: failedBit } = change;
const refusedBits = rejectedBit | failedBit;

/**
 * Makes the validated batches of an accepted one and of what a flow did to it. A value that the rules left alone keeps
 * its integer; a changed one is rounded half-even. Every version is (raw version, the batch's activation, ticket 0,
 * failed < computed). Pure, and columns that nothing touched are shared with the batch.
 */
export function applyFlowResult(batch: ReadingBatch, result: FlowResult, options: ApplyOptions): AppliedFlow {
  const refused = (result.any & refusedBits) !== 0;
  const bits = refused ? settled(result.changes, options.onFailure) : result.changes;
  const whole = validatedBatch(batch, result, bits);
  const parts =
    (result.any & (valueBit | refusedBits)) === 0
      ? [{ from: 0, to: readingCount(batch), integers: batch.columns.values, decimals: batch.columns.decimals }]
      : exactParts({
          integers: batch.columns.values,
          decimals: batch.columns.decimals,
          floats: result.values,
          bits,
          changedBit: valueBit,
          absentBit: rejectedBit,
          roundedTo: options.decimals,
        });
  // A batch that was itself made of an accepted one (a retried part of it) goes back to that.
  const cause = { sourceId: batch.sourceId, key: batch.cause?.key ?? options.key };
  const validated = parts.map(({ from, to, integers, decimals }, part) => {
    const cut = parts.length === 1 ? whole : sliceBatch(whole, from, to);
    const columns = { ...cut.columns, values: integers, decimals };
    return { ...cut, columns, cause: { ...cause, part, parts: parts.length } };
  });
  return { validated, rejected: refused ? rejectedBatch(batch, result, { bits, key: options.key }) : undefined };
}

/** The result that says that nothing happened. */
export function unchangedResult(batch: ReadingBatch): FlowResult {
  const count = readingCount(batch);
  return {
    any: 0,
    changes: new Uint8Array(count),
    values: new Float64Array(count),
    quality: new Uint8Array(count),
    unit: new Uint16Array(count),
    method: new Uint16Array(count),
    reason: new Uint16Array(count),
    texts: batch.columns.texts,
    failures: [],
  };
}

/** The result that says that the whole flow failed: every reading that rules would have seen is a failed one. */
export function failedResult(batch: ReadingBatch, code: RuleFailureCode): FlowResult {
  const count = readingCount(batch);
  const changes = new Uint8Array(count);
  const quality = new RunsCursor(batch.columns.quality);
  for (let index = 0; index < count; index++) {
    changes[index] = quality.at(index) === missingCode ? 0 : failedBit;
  }
  const { texts } = batch.columns;
  return {
    ...unchangedResult(batch),
    any: failedBit,
    changes,
    reason: new Uint16Array(count).fill(texts.length),
    texts: [...texts, failureReason(code)],
  };
}

/** What finally holds of each reading: of a rejected or failed one nothing that a rule did before counts. */
function settled(changes: Uint8Array, onFailure: 'skip' | 'reject'): Uint8Array {
  return changes.map((bits) => {
    if ((bits & failedBit) !== 0) {
      return failedBit | (onFailure === 'skip' ? reasonBit : rejectedBit);
    }
    return (bits & rejectedBit) === 0 ? bits : rejectedBit;
  });
}

/** The whole batch in the validated layer, its values still as they came. */
function validatedBatch(batch: ReadingBatch, result: FlowResult, bits: Uint8Array): ReadingBatch {
  const { columns, tenant, sourceId, acceptedAtMs, activation, series, firstLine, lineDeltas } = batch;
  const { any } = result;
  const failed = (any & failedBit) !== 0;
  const reasoned = reasonBit | rejectedBit;
  const changed: ReadingColumns = {
    ...columns,
    quality: (any & (qualityBit | refusedBits)) === 0 ? columns.quality : qualityRuns(columns.quality, result, bits),
    unit: (any & unitBit) === 0 ? columns.unit : merged(columns.unit, result.unit, { bits, mask: unitBit }),
    method: (any & methodBit) === 0 ? columns.method : merged(columns.method, result.method, { bits, mask: methodBit }),
    reason:
      (any & (reasonBit | refusedBits)) === 0
        ? columns.reason
        : merged(columns.reason, result.reason, { bits, mask: reasoned }),
    version: failed ? failedRuns(columns.version, bits, columns.versions.declared.length) : columns.version,
    versions: validatedVersions(columns.versions, activation, failed),
    texts: result.texts,
  };
  return {
    layer: 'validated',
    columns: changed,
    tenant,
    sourceId,
    acceptedAtMs,
    activation,
    series,
    firstLine,
    lineDeltas,
  };
}

function merged(
  runs: Runs,
  column: Uint16Array,
  { bits, mask }: { readonly bits: Uint8Array; readonly mask: number },
): Runs {
  const before = new RunsCursor(runs);
  const after = new RunsBuilder();
  let value = -1;
  let from = 0;
  for (let index = 0; index < bits.length; index++) {
    const next = (bits[index] as number) & mask ? (column[index] as number) : before.at(index);
    if (next !== value) {
      after.push(value, index - from);
      value = next;
      from = index;
    }
  }
  after.push(value, bits.length - from);
  return after.finish();
}

function qualityRuns(runs: Runs, result: FlowResult, bits: Uint8Array): Runs {
  const before = new RunsCursor(runs);
  const after = new RunsBuilder();
  for (let index = 0; index < bits.length; index++) {
    const bit = bits[index] as number;
    if ((bit & rejectedBit) !== 0) {
      after.push(missingCode);
    } else {
      after.push((bit & qualityBit) === 0 ? before.at(index) : (result.quality[index] as number));
    }
  }
  return after.finish();
}

/** A failed reading points to its version's second row, which is the same but not computed. */
function failedRuns(runs: Runs, bits: Uint8Array, rows: number): Runs {
  const before = new RunsCursor(runs);
  const after = new RunsBuilder();
  for (let index = 0; index < bits.length; index++) {
    after.push(before.at(index) + ((bits[index] as number) & failedBit ? rows : 0));
  }
  return after.finish();
}

function validatedVersions(raw: Versions, activation: number, failed: boolean): Versions {
  const computed = Array.from(raw.declared, (_, row) => ({
    ...versionAt(raw, row),
    activation,
    ticket: 0,
    computed: true,
  }));
  return versionsOf(failed ? [...computed, ...computed.map((version) => ({ ...version, computed: false }))] : computed);
}

function rejectedBatch(
  batch: ReadingBatch,
  result: FlowResult,
  { bits, key }: { readonly bits: Uint8Array; readonly key: string },
): ReadingBatch | undefined {
  const cause = batch.cause ?? { sourceId: batch.sourceId, key, part: 0, parts: 1 };
  return pickReadings(batch, {
    header: { ...batch, cause },
    reasonAt: (index) =>
      (bits[index] as number) & rejectedBit ? result.texts[result.reason[index] as number] : undefined,
  });
}
