import type { Cause } from '@meterflow/readings';
import { ledgerLayers, type LedgerLayer } from '@meterflow/idempotent-writes';
import type { DeadLetter, DeadLetterLine } from '@meterflow/stage';
import type { FailedRows } from '../ledger/ledger-rows.ts';
import { hashedKey } from '../rows/key-hash.ts';
import { tables } from '../schema.ts';
import type { Mutation } from '../wire/mutations.ts';
import type { StoredCell, StoredRow } from '../wire/read-rows.ts';
import { anyOf, chain, inQualifiers, inTime, newestOnly, withoutValues, type RowFilter } from '../wire/row-filter.ts';

/**
 * A letter's row (hash of its id, id): `head` is JSON of all but the payload, `payload` its bytes, both with the time at
 * which it was put as timestamp. A purged letter has `purged` instead of its payload. Rows of times (`time`, milliseconds downwards) name the
 * letters put then: they may name one that is gone or was put again, never miss one.
 */
const family = tables.deadLetters.letters;
const headName = Buffer.from('head');
const payloadName = Buffer.from('payload');
const purgedName = Buffer.from('purged');
export const timeRows = Buffer.from('time\0');
const nothing = Buffer.alloc(0);

/** All but the payload, as it is kept. */
export interface LetterHead extends DeadLetterLine {
  readonly attributes: Readonly<Record<string, string>>;
  readonly causes: readonly Cause[];
  readonly layers: readonly string[];
}

export function letterKey(id: string): Buffer {
  return hashedKey('letter', id);
}

/** Times run downwards: the newest row is the first. */
export function timeKey(atMs: number): Buffer {
  const key = Buffer.alloc(timeRows.length + 8);
  timeRows.copy(key);
  key.writeBigUInt64BE(BigInt(Number.MAX_SAFE_INTEGER - atMs), timeRows.length);
  return key;
}

export function timeOf(key: Buffer): number {
  return Number.MAX_SAFE_INTEGER - Number(key.readBigUInt64BE(timeRows.length));
}

function column(qualifier: Buffer): RowFilter {
  return inQualifiers({ family, from: qualifier, to: Buffer.concat([qualifier, Buffer.of(0)]) });
}

export const headOnly = chain(column(headName), newestOnly);
export const wholeLetter = chain(anyOf(column(headName), column(payloadName)), newestOnly);
/** Passes in rows of purged letters. */
export const isPurged = column(purgedName);
export const allNames = chain(inQualifiers({ family }), newestOnly);
/** Passes in rows of letters that are not purged and were put at this time. */
export function putAt(atMs: number): RowFilter {
  return chain(column(payloadName), inTime(atMs * 1_000, atMs * 1_000 + 1_000), withoutValues);
}

export function headOf(letter: DeadLetter): LetterHead {
  const { payload, ...rest } = letter;
  return { ...rest, payloadBytes: payload.length };
}

export function purgedHead(head: LetterHead): LetterHead {
  return { ...head, state: 'purged', reason: '', attributes: {}, payloadBytes: 0 };
}

/** Replaces what the row holds. Without a payload: a purged letter. */
export function letterMutations(head: LetterHead, payload?: Uint8Array): Mutation[] {
  const micros = head.atMs * 1_000;
  const set = (qualifier: Buffer, value: Uint8Array): Mutation => ({ set: { family, qualifier, micros, value } });
  const cells = [set(headName, Buffer.from(JSON.stringify(head)))];
  return [{ removeRow: true }, ...cells, payload === undefined ? set(purgedName, nothing) : set(payloadName, payload)];
}

export function nameMutation(id: string, atMs: number): Mutation {
  return { set: { family, qualifier: Buffer.from(id), micros: atMs * 1_000, value: nothing } };
}

export function unnameMutation(id: string): Mutation {
  return { remove: { family, qualifier: Buffer.from(id) } };
}

export function parseHead({ cells }: StoredRow): LetterHead | undefined {
  const cell = find(cells, headName);
  return cell === undefined ? undefined : (JSON.parse(cell.value.toString()) as LetterHead);
}

/** Undefined where there is none, or a purged one. */
export function parseLetter(row: StoredRow): DeadLetter | undefined {
  const head = parseHead(row);
  const payload = find(row.cells, payloadName);
  if (head === undefined || payload === undefined || head.state === 'purged') {
    return undefined;
  }
  const { id, state, stage, subscription, key, tenant, reasonCode, reason, atMs, attributes, causes, layers } = head;
  const told = { id, stage, subscription, key, tenant, reasonCode, reason, atMs, attributes, causes, layers };
  return { ...told, state, payload: Uint8Array.from(payload.value) };
}

function find(cells: readonly StoredCell[], qualifier: Buffer): StoredCell | undefined {
  return cells.find((cell) => cell.qualifier.equals(qualifier));
}

/** The ledger's rows that a letter stands for. */
export function failedRows(head: Pick<LetterHead, 'id' | 'state' | 'causes' | 'layers' | 'atMs'>): FailedRows {
  return {
    letterId: head.id,
    state: head.state === 'parked' ? 'parked' : 'dead',
    causes: head.causes,
    layers: head.layers.filter((layer): layer is LedgerLayer => ledgerLayers.some((known) => known === layer)),
    atMs: head.atMs,
  };
}
