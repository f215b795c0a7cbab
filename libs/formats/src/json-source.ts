import { rejectTextCharsMax } from '@meterflow/receipts';
import { afterByteOrderMark } from './byte-order-mark.ts';
import { JsonDocument, type Part } from './json-document.ts';
import type { JsonRow } from './json-rows.ts';
import { InvalidJsonError } from './json-value.ts';
import { costlyLinesPerStep, documentBytesMax, lineBytesMax, probeRowsMax } from './limits.ts';
import type { RowSource } from './row-source.ts';
import type { Steps } from './steps.ts';
import { lineProblem } from './text-line.ts';
import { UnreadableSourceError } from './unreadable-source-error.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const tooLong = lineProblem('line-too-long', `is longer than ${lineBytesMax} characters`);

/** The first rows of a document, as many as are wanted to deduce what it does not say, and all of them. */
type Deliver = (first: readonly JsonRow[], rows: Iterable<JsonRow>) => Steps;

/**
 * A JSON document: a list of readings, `{"readings": [ … ]}`, or one reading. Kept whole until its end, at most
 * {@link documentBytesMax} of it, since a document that breaks off is no document: it is read once to see that it is
 * whole, and then for its rows.
 */
export class JsonSource implements RowSource {
  readonly #deliver: Deliver;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(deliver: Deliver) {
    this.#deliver = deliver;
  }

  *push(bytes: Uint8Array): Steps {
    this.#bytes += bytes.length;
    if (this.#bytes > documentBytesMax) {
      this.#pieces = [];
      const reason = `the document has more than ${documentBytesMax} bytes: send it as NDJSON`;
      throw new UnreadableSourceError('document-too-large', reason);
    }
    this.#pieces.push(bytes.slice());
    yield;
  }

  *end(): Steps {
    const document = new JsonDocument(this.#text());
    const { first, rest } = yield* checked(document);
    yield* this.#deliver(first, all(document, first, rest));
  }

  #text(): string {
    const bytes = new Uint8Array(this.#bytes);
    let position = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, position);
      position += piece.length;
    }
    this.#pieces = [];
    try {
      return utf8.decode(bytes.subarray(afterByteOrderMark(bytes, 0)));
    } catch (error) {
      throw error instanceof TypeError
        ? new UnreadableSourceError('invalid-utf8', 'the document is not UTF-8', { cause: error })
        : error;
    }
  }
}

interface Checked {
  /** {@link probeRowsMax} at most. */
  readonly first: readonly JsonRow[];
  /** The list that has them and those that follow; undefined for a document that is one reading. */
  readonly rest: ListPart | undefined;
}

interface ListPart {
  readonly part: Part;
  /** Brackets around it. */
  readonly depth: number;
}

/** Reads all of the document, to see that it is one. */
function* checked(document: JsonDocument): Steps<Checked> {
  try {
    const list = yield* listIn(document);
    if (list === undefined) {
      return { first: [rowOf(document, document.root, 1)], rest: undefined };
    }
    const first: JsonRow[] = [];
    let line = 0;
    for (const part of document.partsOf(list.part, list.depth)) {
      line += 1;
      const row = rowOf(document, part, line);
      if (line <= probeRowsMax) {
        first.push(row);
      }
      if (line % costlyLinesPerStep === 0) {
        yield;
      }
    }
    return { first, rest: list };
  } catch (error) {
    throw error instanceof InvalidJsonError
      ? new UnreadableSourceError(error.code, `the document ${error.message}`, { cause: error })
      : error;
  }
}

/** The list of readings; undefined where the document is one reading. */
function* listIn(document: JsonDocument): Steps<ListPart | undefined> {
  const { root } = document;
  if (document.isList(root)) {
    return { part: root, depth: 0 };
  }
  if (!document.isObject(root)) {
    document.value(root);
    throw new UnreadableSourceError('no-readings', 'the document is neither a list of readings nor an object');
  }
  let readings: Part | undefined;
  let members = 0;
  for (const part of document.partsOf(root, 0)) {
    const { name, value } = document.member(part);
    if (name === 'readings') {
      readings = value;
    } else if (value.to - value.from <= lineBytesMax) {
      document.value(value);
    }
    members += 1;
    if (members % costlyLinesPerStep === 0) {
      yield;
    }
  }
  if (readings !== undefined && !document.isList(readings)) {
    throw new UnreadableSourceError('no-readings', "the document's readings are no list");
  }
  return readings === undefined ? undefined : { part: readings, depth: 1 };
}

function* all(document: JsonDocument, first: readonly JsonRow[], rest: ListPart | undefined): Generator<JsonRow> {
  yield* first;
  let line = 0;
  if (rest !== undefined && first.length === probeRowsMax) {
    for (const part of document.partsOf(rest.part, rest.depth)) {
      line += 1;
      if (line > probeRowsMax) {
        yield rowOf(document, part, line);
      }
    }
  }
}

function rowOf(document: JsonDocument, part: Part, line: number): JsonRow {
  return part.to - part.from > lineBytesMax
    ? { value: undefined, line, text: document.beginningOf(part, rejectTextCharsMax), problem: tooLong }
    : { value: document.value(part), line };
}
