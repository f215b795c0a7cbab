import type { change } from '@meterflow/rules';
import { FrameWriter, padded, word, type FrameReader } from './frame.ts';
import type { SharedColumns } from './shared-layout.ts';

/**
 * What a child answers. Each `run` has exactly one answer but for `ready` and `step`, in the order of the requests. `apart`: its
 * days are to be run one by one.
 */
export const replyKind = { ready: 1, result: 2, namesWanted: 3, flowUnknown: 4, failed: 5, step: 6, apart: 7 } as const;

/** Words of a reply's header, after the common ones. */
const at = { any: 3, count: 4, textBytes: 5, failureBytes: 6, cpuMicros: 7, emitted: 8, dayFailureBytes: 9 } as const;

// A copy, so that a child need not load the library for it.
const bit: typeof change = { value: 1, quality: 2, unit: 4, method: 8, reason: 16, rejected: 32, failed: 64 };

/** Any of the bits that come with a text in the reason column. */
const reasoned = bit.reason | bit.rejected | bit.failed;

export interface ResultReply {
  readonly any: number;
  readonly columns: SharedColumns;
  readonly count: number;
  /** How many readings follow them in the columns, and where their spans begin: of a day alone. */
  readonly emitted?: number;
  readonly spans?: number;
  readonly newTexts: string;
  readonly failures: string;
  readonly dayFailures?: string;
}

export function resultFrame(job: number, reply: ResultReply): Buffer {
  const { any, columns, count, emitted = 0, newTexts, failures, dayFailures = '' } = reply;
  const sections = any === 0 ? [] : [...emittedColumns(reply), ...changedColumns(any, columns, count + emitted)];
  const textBytes = Buffer.byteLength(newTexts);
  const failureBytes = Buffer.byteLength(failures);
  const dayFailureBytes = Buffer.byteLength(dayFailures);
  const bytes = sections.reduce(
    (sum, section) => sum + padded(section.byteLength),
    padded(textBytes) + padded(failureBytes) + padded(dayFailureBytes),
  );
  const frame = new FrameWriter(bytes);
  const { header } = frame;
  header[word.kind] = replyKind.result;
  header[word.job] = job;
  header[at.any] = any;
  header[at.count] = count;
  header[at.emitted] = emitted;
  header[at.textBytes] = textBytes;
  header[at.failureBytes] = failureBytes;
  header[at.dayFailureBytes] = dayFailureBytes;
  sections.forEach((section) => {
    frame.column(section);
  });
  frame.text(newTexts);
  frame.text(failures);
  frame.text(dayFailures);
  return frame.bytes;
}

function emittedColumns({ columns, emitted = 0, spans = 0 }: ResultReply): (Float64Array | Uint32Array)[] {
  const to = spans + emitted;
  return emitted === 0
    ? []
    : [columns.startMs.subarray(spans, to), columns.lengthMs.subarray(spans, to), columns.series.subarray(spans, to)];
}

function changedColumns(
  any: number,
  columns: SharedColumns,
  count: number,
): (Float64Array | Uint16Array | Uint8Array)[] {
  return [
    columns.changes.subarray(0, count),
    ...(any & bit.value ? [columns.values.subarray(0, count)] : []),
    ...(any & bit.quality ? [columns.quality.subarray(0, count)] : []),
    ...(any & bit.unit ? [columns.unit.subarray(0, count)] : []),
    ...(any & bit.method ? [columns.method.subarray(0, count)] : []),
    ...(any & reasoned ? [columns.reason.subarray(0, count)] : []),
  ];
}

/** A result as it came, texts still joined. Columns that hold nothing new are all zero. */
export interface RawResult {
  readonly any: number;
  readonly changes: Uint8Array;
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  readonly unit: Uint16Array;
  readonly method: Uint16Array;
  readonly reason: Uint16Array;
  readonly newTexts: string;
  readonly failures: string;
  /** Of days as a whole. */
  readonly dayFailures: string;
  readonly emitted: { readonly startMs: Float64Array; readonly lengthMs: Uint32Array; readonly channel: Uint32Array };
}

/** Throws RangeError where it is not a result for `count` readings. */
export function readResult(frame: FrameReader, count: number): RawResult {
  const { header } = frame;
  const any = header[at.any] as number;
  if (header[at.count] !== count) {
    throw new RangeError(`a result of ${header[at.count] ?? 0} readings answers a batch of ${count}`);
  }
  const emitted = header[at.emitted] as number;
  const length = count + emitted;
  if (length > readingsMax) {
    throw new RangeError(`a result of ${length} readings is longer than any batch`);
  }
  const spans = { startMs: frame.float64(emitted), lengthMs: frame.uint32(emitted), channel: frame.uint32(emitted) };
  const words = (bits: number): Uint16Array => (any & bits ? frame.uint16(length) : zeroWords.subarray(0, length));
  const bytes = (bits: number): Uint8Array => (any & bits ? frame.uint8(length) : zeroBytes.subarray(0, length));
  return {
    any,
    emitted: spans,
    changes: bytes(255),
    values: any & bit.value ? frame.float64(length) : zeroFloats.subarray(0, length),
    quality: bytes(bit.quality),
    unit: words(bit.unit),
    method: words(bit.method),
    reason: words(reasoned),
    newTexts: frame.text(header[at.textBytes] as number),
    failures: frame.text(header[at.failureBytes] as number),
    dayFailures: frame.text(header[at.dayFailureBytes] as number),
  };
}

/** Readings of a batch, and those that a day emits among them. */
const readingsMax = 4_096;
const zeroFloats = new Float64Array(readingsMax);
const zeroWords = new Uint16Array(readingsMax);
const zeroBytes = new Uint8Array(readingsMax);

export function noticeFrame(kind: number, job: number, text = ''): Buffer {
  const bytes = Buffer.byteLength(text);
  const frame = new FrameWriter(padded(bytes));
  frame.header[word.kind] = kind;
  frame.header[word.job] = job;
  frame.header[at.textBytes] = bytes;
  frame.text(text);
  return frame.bytes;
}

export function readNotice(frame: FrameReader): string {
  return frame.text(frame.header[at.textBytes] as number);
}

/** Notes in an answer what CPU time it took; fair shares between tenants are made of it. */
export function setCpuMicros(frame: Buffer, micros: number): void {
  frame.writeUInt32LE(Math.min(micros, 2 ** 32 - 1), at.cpuMicros * 4);
}

export function cpuMsOf(frame: FrameReader): number {
  return (frame.header[at.cpuMicros] as number) / 1_000;
}
