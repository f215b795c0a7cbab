import type { ReadingBatch, Runs, Spans } from '@meterflow/readings';
import { FrameWriter, padded, word, type Allocate, type FrameReader } from './frame.ts';

/** What the parent asks of a child. */
export const requestKind = { define: 1, run: 2, forget: 3 } as const;

/** Words of a request's header, after the common ones. */
const at = {
  flow: 3,
  count: 4,
  decimals: 5,
  spans: 6,
  runs: 7,
  textBytes: 11,
  nameBytes: 12,
  flags: 13,
  factsBytes: 14,
  windowBytes: 15,
} as const;
/** Runs of quality, unit, code and method. */
const runColumns = 4;
const flag = { named: 1, traced: 2 } as const;

export interface RunRequest {
  readonly job: number;
  readonly flow: number;
  readonly count: number;
  readonly decimals: number;
  readonly values: Float64Array;
  readonly spans: Spans;
  readonly quality: Runs;
  readonly unit: Runs;
  readonly code: Runs;
  readonly method: Runs;
  /** Joined with line feeds. */
  readonly texts: string;
  /** Meter and channel by turns, joined with line feeds; undefined where no rule has asked for them yet. */
  readonly names: string | undefined;
  /** There where the batch holds local days of a series. */
  readonly day: DaySections | undefined;
  /** Say so before each step: when this child dies, the parent knows in which. */
  readonly traced: boolean;
}

export function defineFrame(flow: number, json: string): Buffer {
  const bytes = Buffer.byteLength(json);
  const frame = new FrameWriter(padded(bytes));
  frame.header[word.kind] = requestKind.define;
  frame.header[at.flow] = flow;
  frame.header[at.textBytes] = bytes;
  frame.text(json);
  return frame.bytes;
}

export function readDefine(frame: FrameReader): { readonly flow: number; readonly json: string } {
  return { flow: frame.header[at.flow] as number, json: frame.text(frame.header[at.textBytes] as number) };
}

/** Of a flow that is not wanted any more: nothing is answered. */
export function forgetFrame(flow: number): Buffer {
  const frame = new FrameWriter(0);
  frame.header[word.kind] = requestKind.forget;
  frame.header[at.flow] = flow;
  return frame.bytes;
}

export function readForget(frame: FrameReader): number {
  return frame.header[at.flow] as number;
}

export interface RunFrameOptions {
  readonly job: number;
  readonly flow: number;
  readonly named: boolean;
  readonly traced: boolean;
  readonly day?: DaysToSend;
}

/** What came with local days beside their readings. */
export interface DaySections {
  readonly factsJson: string;
  readonly windows: Uint8Array;
}

/** What goes with local days, to be written where it lies. */
export interface DaysToSend {
  readonly factsJson: string;
  readonly windowBytes: number;
  readonly writeWindows: (memory: ArrayBuffer, offset: number) => void;
}

export function runFrame(batch: ReadingBatch, options: RunFrameOptions, allocate?: Allocate): Buffer<ArrayBuffer> {
  const { columns } = batch;
  const { spans, values } = columns;
  const texts = columns.texts.map(oneLine).join('\n');
  const names = options.named ? batch.series.map(({ meter, channel }) => `${meter}\n${channel}`).join('\n') : '';
  const textBytes = Buffer.byteLength(texts);
  const nameBytes = Buffer.byteLength(names);
  const runs = [columns.quality, columns.unit, columns.code, columns.method];
  const wide = [values, spans.startMs, spans.stepMs, spans.lengthMs, spans.count, spans.series];
  const { writeWindows, windowBytes = 0 } = options.day ?? {};
  const facts = options.day?.factsJson ?? '';
  const factsBytes = Buffer.byteLength(facts);
  const sections = [...wide, ...runs.flatMap(({ ends, values: held }) => [ends, held])];
  const bytes = sections.reduce(
    (sum, section) => sum + padded(section.byteLength),
    padded(windowBytes) + padded(textBytes) + padded(nameBytes) + padded(factsBytes),
  );

  const frame = new FrameWriter(bytes, allocate);
  const { header } = frame;
  header[word.kind] = requestKind.run;
  header[word.job] = options.job;
  header[at.flow] = options.flow;
  header[at.count] = values.length;
  header[at.decimals] = columns.decimals;
  header[at.spans] = spans.count.length;
  header[at.textBytes] = textBytes;
  header[at.nameBytes] = nameBytes;
  header[at.factsBytes] = factsBytes;
  header[at.windowBytes] = windowBytes;
  header[at.flags] = (options.named ? flag.named : 0) | (options.traced ? flag.traced : 0);
  runs.forEach(({ ends }, index) => {
    header[at.runs + index] = ends.length;
  });
  sections.forEach((section) => {
    frame.column(section);
  });
  writeWindows?.(frame.bytes.buffer, frame.room(windowBytes));
  frame.text(texts);
  frame.text(names);
  frame.text(facts);
  return frame.bytes;
}

export function readRun(frame: FrameReader): RunRequest {
  const { header } = frame;
  const count = header[at.count] as number;
  const spanCount = header[at.spans] as number;
  const flags = header[at.flags] as number;
  const values = frame.float64(count);
  const startMs = frame.float64(spanCount);
  const [stepMs, lengthMs, counts, series] = [0, 1, 2, 3].map(() => frame.uint32(spanCount)) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  const [quality, unit, code, method] = Array.from({ length: runColumns }, (_, index) => {
    const length = header[at.runs + index] as number;
    return { ends: frame.uint32(length), values: frame.uint32(length) };
  }) as [Runs, Runs, Runs, Runs];
  const windows = frame.uint8(header[at.windowBytes] as number);
  const texts = frame.text(header[at.textBytes] as number);
  const names = frame.text(header[at.nameBytes] as number);
  const factsJson = frame.text(header[at.factsBytes] as number);
  return {
    job: header[word.job] as number,
    flow: header[at.flow] as number,
    count,
    decimals: header[at.decimals] as number,
    values,
    spans: { startMs, stepMs, lengthMs, count: counts, series },
    ...{ quality, unit, code, method, texts },
    names: (flags & flag.named) === 0 ? undefined : names,
    traced: (flags & flag.traced) !== 0,
    day: factsJson === '' ? undefined : { factsJson, windows },
  };
}

/** Texts travel joined with line feeds; what a rule sees of one that holds any is cut to one line. */
function oneLine(text: string): string {
  return text.includes('\n') ? text.replaceAll('\n', ' ') : text;
}
