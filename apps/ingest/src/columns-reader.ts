import { decodeReadingBatch, MalformedMessageError, messageLimits } from '@meterflow/contracts';
import {
  futureMsMax,
  unknownSeriesProblem,
  UnreadableSourceError,
  type Reader,
  type ReaderCounts,
  type ReaderOptions,
  type Steps,
} from '@meterflow/formats';
import {
  BatchBuilder,
  formatDecimal,
  groupMeterPrefix,
  registerChannelMark,
  isIdentifier,
  isUnit,
  missingCode,
  rawVersion,
  ReadingCursor,
  ReadingRow,
  readingsPerBatchMax,
  utcText,
  type ReadingBatch,
} from '@meterflow/readings';
import { noRemarks, type Reject, type RemarkCounts } from '@meterflow/receipts';
import { withOurEnvelope } from './columns-envelope.ts';
import { readingReasonCharsMax } from './limits.ts';

/** What `ReaderOptions` say beside a mapping, which columns don't need: they say themselves what they are. */
export type ColumnsReaderOptions = Omit<ReaderOptions, 'mapping' | 'registeredMs'>;

interface Problem {
  readonly column: string;
  readonly code: string;
  readonly reason: string;
}

/** Some milliseconds of work, also where all of them are rejected. */
const readingsPerStep = 1_000;
/** The source's own codes and methods are no longer than in other formats. */
const codeCharsMax = 32;
const reasonPattern = new RegExp(`^[ -~\\u00a1-\\uffff]{1,${readingReasonCharsMax}}$`);

/**
 * Reads a source that is one ReadingBatch message: readings in columns, `line` being the reading's number from 1. Who it
 * is from and when it came is ours to say; what each reading says is held to the same rules as a line of any other
 * format. The same bytes give the same batches.
 */
export class ColumnsReader implements Reader {
  readonly #options: ColumnsReaderOptions;
  readonly #builder: BatchBuilder;
  readonly #row = new ReadingRow();
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #accepted = 0;
  #rejects: Reject[] = [];

  constructor(options: ColumnsReaderOptions) {
    this.#options = options;
    this.#builder = new BatchBuilder(options.readingsPerBatch ?? readingsPerBatchMax);
  }

  get counts(): ReaderCounts {
    const rejected = this.#rejects.length;
    return { received: this.#accepted + rejected, accepted: this.#accepted, rejected };
  }

  /** Columns are made by programs, mostly of live readings: nothing is looked for in them. */
  readonly remarked: RemarkCounts = noRemarks;
  readonly leftOut = 0;
  readonly ends = [];

  *push(bytes: Uint8Array): Steps {
    this.#bytes += bytes.length;
    if (this.#bytes > messageLimits.payloadBytesMax) {
      const reason = `a message has ${messageLimits.payloadBytesMax} bytes at most: send several`;
      throw new UnreadableSourceError('message-too-large', reason);
    }
    this.#pieces.push(bytes.slice());
    yield;
  }

  *end(): Steps {
    const batch = this.#decoded();
    const cursor = new ReadingCursor(batch.columns);
    const refused = this.#refusedSeries(batch);
    while (cursor.next()) {
      if ((cursor.index + 1) % readingsPerStep === 0) {
        yield;
      }
      const problem = refused?.[cursor.series] ?? this.#problemOf(cursor);
      if (problem === undefined) {
        this.#append(batch, cursor);
      } else {
        this.#rejects.push({ line: cursor.index + 1, ...problem, text: textOf(batch, cursor) });
      }
    }
    if (this.#builder.count > 0) {
      this.#finish();
    }
    if (this.#rejects.length > 0) {
      this.#options.onRejects(this.#rejects.slice());
    }
  }

  #decoded(): ReadingBatch {
    try {
      return decodeReadingBatch(withOurEnvelope(Buffer.concat(this.#pieces)));
    } catch (error) {
      if (error instanceof MalformedMessageError) {
        throw new UnreadableSourceError(error.code, error.message, { cause: error });
      }
      throw error;
    } finally {
      this.#pieces = [];
    }
  }

  /** Why none of a series' readings is taken, by its index; undefined where all series are, as nearly always. */
  #refusedSeries({ series }: ReadingBatch): readonly (Problem | undefined)[] | undefined {
    const { isUnknown } = this.#options;
    const refused = series.map((name) => {
      if (name.meter.startsWith(groupMeterPrefix) || name.channel.includes(registerChannelMark)) {
        return ofAGroup;
      }
      return isUnknown?.(name) === true ? unregistered(name) : undefined;
    });
    return refused.some((problem) => problem !== undefined) ? refused : undefined;
  }

  #problemOf(cursor: ReadingCursor): Problem | undefined {
    const { startsFromMs = 0, startsUntilMs = this.#options.header.acceptedAtMs + futureMsMax } = this.#options;
    const { startMs, unit, code, method, reason } = cursor;
    if (startMs < startsFromMs) {
      return { column: 'start', code: 'too-old', reason: `starts before ${utcText(startsFromMs)}` };
    }
    if (startMs > startsUntilMs) {
      return { column: 'start', code: 'in-the-future', reason: `starts after ${utcText(startsUntilMs)}` };
    }
    if (!isUnit(unit)) {
      return { column: 'unit', code: 'unknown-unit', reason: `"${shown(unit)}" is not a unit` };
    }
    return textProblem({ code, method, reason });
  }

  #append(batch: ReadingBatch, cursor: ReadingCursor): void {
    const builder = this.#builder;
    const { decimals, versions } = batch.columns;
    const { integer, qualityCode, reason } = cursor;
    if (!builder.takes(integer, decimals)) {
      this.#finish();
    }
    const { meter, channel } = batch.series[cursor.series] as ReadingBatch['series'][number];
    const declared = versions.declared[cursor.versionIndex] as number;
    const { sourceVersion = 0, header } = this.#options;
    const row = this.#row;
    row.series = builder.series(meter, channel);
    row.startMs = cursor.startMs;
    row.lengthMs = cursor.lengthMs;
    row.integer = integer;
    row.decimals = decimals;
    row.quality = qualityCode;
    row.unit = builder.text(cursor.unit);
    row.code = builder.text(cursor.code);
    row.method = builder.text(cursor.method);
    row.reason = builder.text(qualityCode === missingCode && reason === '' ? 'withdrawn' : reason);
    row.version = builder.version(rawVersion(declared === 0 ? sourceVersion : declared, header.acceptedAtMs));
    row.line = cursor.index + 1;
    builder.append(row);
    this.#accepted += 1;
    if (builder.count === builder.readingsMax) {
      this.#finish();
    }
  }

  #finish(): void {
    this.#options.onBatch(this.#builder.finish(this.#options.header));
  }
}

const ofAGroup: Problem = {
  column: 'meter',
  code: 'invalid-meter',
  reason: 'the series stands for a group or a register, which has no readings of its own',
};

function unregistered(name: ReadingBatch['series'][number]): Problem {
  const { field: column, code, reason } = unknownSeriesProblem(name);
  return { column, code, reason };
}

function textProblem({ code, method, reason }: Pick<ReadingCursor, 'code' | 'method' | 'reason'>): Problem | undefined {
  if (code !== '' && !(isIdentifier(code) && code.length <= codeCharsMax)) {
    return { column: 'code', code: 'unknown-quality', reason: `"${shown(code)}" is not a quality code` };
  }
  if (method !== '' && !isIdentifier(method)) {
    return { column: 'method', code: 'invalid-method', reason: `"${shown(method)}" is not the name of a method` };
  }
  if (reason !== '' && !reasonPattern.test(reason)) {
    return { column: 'reason', code: 'invalid-reason', reason: `"${shown(reason)}" is not a reason` };
  }
  return undefined;
}

function textOf(batch: ReadingBatch, cursor: ReadingCursor): string {
  const { meter, channel } = batch.series[cursor.series] as ReadingBatch['series'][number];
  const value = formatDecimal(cursor.integer, batch.columns.decimals);
  return `${meter},${channel},${utcText(cursor.startMs)},${value},${shown(cursor.unit)}`;
}

function shown(text: string): string {
  return text.slice(0, 64).replace(/[^ -~\u00a1-\uffff]/g, '?');
}
