import { ledgerLayers, noOutcomes, outcomes, type LedgerLayer, type OutcomeCounts } from '@meterflow/idempotent-writes';
import type { Cause } from '@meterflow/readings';
import type { StoredCell } from '../wire/read-rows.ts';

/**
 * The ledger's row of an accepted batch (hash of the source, source, key) has a cell for each layer and part:
 *
 *     's' layer parts part           stored; the first write stands
 *     '+' layer parts part write     what a later write of the same causes changed
 *     'x' layer parts part letter    a dead letter, dead or parked, until it is retried
 *
 * Of several cells of one column the oldest stands, but for dead letters, which are all there.
 */
export const storedMark = 0x73;
export const raisedMark = 0x2b;
export const failedMark = 0x78;

const headBytes = 10;

export function ledgerQualifier(
  mark: number,
  place: { readonly layer: LedgerLayer; readonly cause: Pick<Cause, 'parts' | 'part'> },
  name = '',
): Buffer {
  const qualifier = Buffer.alloc(headBytes + Buffer.byteLength(name));
  qualifier[0] = mark;
  qualifier[1] = ledgerLayers.indexOf(place.layer);
  qualifier.writeUInt32BE(place.cause.parts, 2);
  qualifier.writeUInt32BE(place.cause.part, 6);
  qualifier.write(name, headBytes);
  return qualifier;
}

export interface LedgerPlace {
  readonly mark: number;
  readonly layer: LedgerLayer;
  readonly parts: number;
  readonly part: number;
}

/** Undefined for a layer that this build does not know. */
export function parseQualifier(qualifier: Buffer): LedgerPlace | undefined {
  const layer = ledgerLayers[qualifier[1] as number];
  return layer === undefined
    ? undefined
    : { mark: qualifier[0] as number, layer, parts: qualifier.readUInt32BE(2), part: qualifier.readUInt32BE(6) };
}

/** What a row of state stored says. */
export interface StoredLedgerValue {
  /** The write whose outcome it tells. */
  readonly writeKey: string;
  readonly counts: OutcomeCounts;
}

const valueFormat = 1;

export function encodeStored({ writeKey, counts }: StoredLedgerValue): Buffer {
  return Buffer.from(JSON.stringify([valueFormat, writeKey, ...outcomes.map((outcome) => counts[outcome])]));
}

export function decodeStored(value: Buffer): StoredLedgerValue {
  const [, writeKey, ...counts] = JSON.parse(value.toString()) as [number, string, ...number[]];
  const told: { -readonly [Outcome in keyof OutcomeCounts]: number } = { ...noOutcomes };
  outcomes.forEach((outcome, index) => {
    told[outcome] = counts[index] ?? 0;
  });
  return { writeKey, counts: told };
}

/** The cells of a row that stand. They come by qualifier, then newest first. */
export function* firstCells(cells: readonly StoredCell[]): Generator<StoredCell> {
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index] as StoredCell;
    if (cell.qualifier[0] === failedMark || cells[index + 1]?.qualifier.equals(cell.qualifier) !== true) {
      yield cell;
    }
  }
}

export type FailedState = 'dead' | 'parked';

export function encodeFailed(state: FailedState): Buffer {
  return Buffer.from(state);
}

export function decodeFailed(value: Buffer): FailedState {
  return value.toString() === 'parked' ? 'parked' : 'dead';
}
