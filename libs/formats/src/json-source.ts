import { afterByteOrderMark } from './byte-order-mark.ts';
import type { JsonRow } from './json-rows.ts';
import { InvalidJsonError, parseJson } from './json-value.ts';
import { documentBytesMax } from './limits.ts';
import type { RowSource } from './row-source.ts';
import { UnreadableSourceError } from './unreadable-source-error.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A JSON document: a list of readings, `{"readings": [ … ]}`, or one reading. Kept whole until its end, at most
 * {@link documentBytesMax} of it, since a document that breaks off is no document; then handed over as rows.
 */
export class JsonSource implements RowSource {
  readonly #deliver: (rows: readonly JsonRow[]) => void;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(deliver: (rows: readonly JsonRow[]) => void) {
    this.#deliver = deliver;
  }

  push(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > documentBytesMax) {
      this.#pieces = [];
      const reason = `the document has more than ${documentBytesMax} bytes: send it as NDJSON`;
      throw new UnreadableSourceError('document-too-large', reason);
    }
    this.#pieces.push(bytes.slice());
  }

  end(): void {
    const bytes = new Uint8Array(this.#bytes);
    let position = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, position);
      position += piece.length;
    }
    this.#pieces = [];
    const values = readingsIn(documentOf(bytes));
    this.#deliver(values.map((value, index) => ({ value, line: index + 1, text: JSON.stringify(value) })));
  }
}

function documentOf(bytes: Uint8Array): unknown {
  try {
    return parseJson(utf8.decode(bytes.subarray(afterByteOrderMark(bytes, 0))));
  } catch (error) {
    if (error instanceof InvalidJsonError) {
      throw new UnreadableSourceError(error.code, `the document ${error.message}`, { cause: error });
    }
    if (error instanceof TypeError) {
      throw new UnreadableSourceError('invalid-utf8', 'the document is not UTF-8', { cause: error });
    }
    throw error;
  }
}

function readingsIn(document: unknown): readonly unknown[] {
  if (Array.isArray(document)) {
    return document;
  }
  if (typeof document !== 'object' || document === null) {
    throw new UnreadableSourceError('no-readings', 'the document is neither a list of readings nor an object');
  }
  if (!Object.hasOwn(document, 'readings')) {
    return [document];
  }
  const { readings } = document as { readonly readings: unknown };
  if (!Array.isArray(readings)) {
    throw new UnreadableSourceError('no-readings', "the document's readings are no list");
  }
  return readings;
}
