import { createHash, randomBytes } from 'node:crypto';
import {
  UnknownSourceError,
  type Acceptance,
  type AcceptanceRequest,
  type Closing,
  type Receipt,
} from '@meterflow/receipts';
import type { Documents } from '../rows/documents.ts';
import { type StoredDocument } from '../rows/documents.ts';

/** One time that a source came. */
export interface StoredDelivery {
  readonly number: number;
  readonly startedAtMs: number;
  /** Absent where nobody said, or an earlier build began it. */
  readonly refusesUnknown?: boolean;
  /** A ticket: orders the tenant's deliveries. */
  readonly order: number;
  /** What its sender calls it. */
  readonly names: readonly string[];
  readonly closing?: Closing;
  /** Kept once nothing can change it any more. */
  readonly receipt?: Receipt;
}

/** An acceptance with all its deliveries, in order: one row, so that each step of it is one compare-and-set. */
export interface AcceptanceDocument {
  readonly acceptance: Acceptance;
  readonly deliveries: readonly StoredDelivery[];
}

export interface FoundDelivery {
  readonly document: AcceptanceDocument;
  readonly delivery: StoredDelivery;
  readonly sourceId: string;
  readonly stored: StoredDocument;
}

const hexCharsInKey = 24;
const hexCharsInId = 16;
const attemptsMax = 20;

/** Rows by a hash of tenant, kind and identity, with which each id begins: an id finds its row, and keys lie far apart. */
export class AcceptanceDocuments {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /**
   * Decides on what is there, as often as another was faster. `decide` gets undefined for a new acceptance and returns
   * what is to stand there; the very same where nothing changes.
   */
  async change(
    key: Buffer,
    decide: (before: AcceptanceDocument | undefined) => Promise<AcceptanceDocument>,
  ): Promise<AcceptanceDocument> {
    for (let attempt = 1; ; attempt++) {
      const stored = await this.#documents.read(key);
      const before = parse(stored);
      const after = await decide(before);
      if (after === before || (await this.#documents.replace(stored, JSON.stringify(after)))) {
        return after;
      }
      if (attempt === attemptsMax) {
        throw new Error(`${attemptsMax} others were faster to change an acceptance`);
      }
    }
  }

  /** Undefined where there is no such source. */
  async find(sourceId: string): Promise<FoundDelivery | undefined> {
    const [id = '', number] = sourceId.split('.');
    if (!/^[0-9a-f]{24}$/.test(id)) {
      return undefined;
    }
    const from = keyOf(id.slice(0, hexCharsInId));
    const to = Buffer.concat([from, Buffer.from('g')]);
    for (const row of await this.#documents.table.read({ ranges: [{ from, to }], filter: this.#documents.filter })) {
      const stored = this.#documents.parse(row);
      const document = parse(stored);
      const delivery = document?.deliveries.find((one) => String(one.number) === number);
      if (document?.acceptance.id === id && delivery !== undefined) {
        return { document, delivery, sourceId, stored };
      }
    }
    return undefined;
  }

  /** Throws UnknownSourceError. */
  async require(sourceId: string): Promise<FoundDelivery> {
    const found = await this.find(sourceId);
    if (found === undefined) {
      throw new UnknownSourceError(`there is no source ${sourceId}`);
    }
    return found;
  }

  /** Changes one delivery; `change` returns the very same where nothing changes. */
  async changeDelivery(found: FoundDelivery, change: (before: StoredDelivery) => StoredDelivery): Promise<void> {
    await this.change(found.stored.key, (before) => {
      const document = before ?? found.document;
      const { number } = found.delivery;
      const deliveries = document.deliveries.map((one) => (one.number === number ? change(one) : one));
      const isSame = deliveries.every((one, index) => one === document.deliveries[index]);
      return Promise.resolve(isSame ? document : { ...document, deliveries });
    });
  }
}

export function acceptanceKey({ tenant, kind, identity }: AcceptanceRequest): Buffer {
  const hex = createHash('sha256').update([tenant, kind, identity].join('\0')).digest('hex');
  return keyOf(hex.slice(0, hexCharsInKey));
}

export function newAcceptance(request: AcceptanceRequest): Acceptance {
  const { tenant, kind, identity, contentHash, label, mapping } = request;
  const { sourceVersion, activation, readingsPerBatch, startsFromMs, intervalLengths } = request;
  const named = { tenant, kind, identity, contentHash, label, mapping };
  const fixed = { sourceVersion, activation, readingsPerBatch, startsFromMs, intervalLengths };
  const hex = acceptanceKey(request).toString('utf8', prefix.length);
  return {
    ...named,
    ...fixed,
    id: hex.slice(0, hexCharsInId) + randomBytes(4).toString('hex'),
    acceptedAtMs: request.nowMs,
  };
}

const prefix = 'a';

function keyOf(hex: string): Buffer {
  return Buffer.from(prefix + hex);
}

function parse({ text }: StoredDocument): AcceptanceDocument | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as AcceptanceDocument);
}
