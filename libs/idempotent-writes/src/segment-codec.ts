import { constantRuns, RunsBuilder, versionAt, versionsOf, type ReadingColumns, type Runs } from '@meterflow/readings';
import { Attributes } from './attributes.ts';
import { ColumnArena } from './column-arena.ts';
import { incomingColumns, UniformSteps } from './incoming-columns.ts';
import type { GrowingRuns } from './growing-runs.ts';
import type { Label } from './label-table.ts';
import { ReadingList } from './reading-list.ts';
import { SegmentDecoder } from './segment-decoder.ts';
import { SegmentDraft } from './segment-draft.ts';
import { SegmentEncoder } from './segment-encoder.ts';
import { dayMs } from './segment-format.ts';

/** Encodes readings of one series-day; they need not be sorted, and are where they come back. */
export function encodeSegment(columns: ReadingColumns, day: number): Uint8Array {
  const attributes = new Attributes();
  const incoming = incomingColumns(columns, attributes);
  const list = new ReadingList();
  const steps = new UniformSteps();
  const { spans } = columns;
  let index = 0;
  for (let span = 0; span < spans.count.length; span++) {
    const first = index;
    const end = index + (spans.count[span] as number);
    steps.seek(incoming, first, end);
    while (steps.next()) {
      const { label, version } = steps;
      for (index = steps.from; index < steps.to; index++) {
        const startMs = (spans.startMs[span] as number) + (index - first) * (spans.stepMs[span] as number);
        const value = incoming.values[index] as number;
        list.push(startMs, spans.lengthMs[span] as number, { value, decimals: incoming.decimals, label, version });
      }
    }
    index = end;
  }
  const encoder = new SegmentEncoder(attributes);
  encoder.begin();
  list.encode(list.sorted(), day * dayMs, { encoder, draft: new SegmentDraft() });
  return encoder.finish().slice();
}

/** A reader that knows more labels, texts and versions than this starts over: they come from outside. */
const attributesMax = 1_024;
/** Days of one label and version have so many different counts of readings, at the most, that are remembered. */
const sharedCountsMax = 1_024;

/**
 * Decodes blobs of any number of series-days into columns, mostly one for each. What many days have in common (their
 * run columns, versions and texts) they share, and their blocks of memory: columns are never written to, and soon done
 * with. Made once and used for every read.
 */
export class SegmentColumnsReader {
  readonly #arena = new ColumnArena();
  readonly #draft = new SegmentDraft();
  #attributes = new Attributes();
  #decoder = new SegmentDecoder(this.#attributes);
  /** What the last days of one label have in common, and of one label and version, by their count of readings. */
  #sharedLabels: { label: number; byCount: Map<number, LabelColumns> } | undefined;
  #shared: { label: number; version: number; byCount: Map<number, RunColumns> } | undefined;

  /** Throws CorruptSegmentError for anything that no encoder wrote. */
  read(blob: Uint8Array, day: number): ReadingColumns[] {
    if (this.#attributes.labels.size + this.#attributes.versions.length > attributesMax) {
      this.#attributes = new Attributes();
      this.#decoder = new SegmentDecoder(this.#attributes);
      this.#sharedLabels = undefined;
      this.#shared = undefined;
    }
    const versions = this.#attributes.versions;
    const before = versions.length;
    const sets: ReadingColumns[] = [];
    this.#decoder.open(blob);
    while (this.#decoder.next(this.#draft, day * dayMs)) {
      sets.push(this.#columns());
    }
    versions.length = Math.max(before, this.#decoder.versionKept + 1);
    if (this.#shared !== undefined && this.#shared.version >= versions.length) {
      this.#shared = undefined;
    }
    return sets;
  }

  #columns(): ReadingColumns {
    const draft = this.#draft;
    const arena = this.#arena;
    const { spanCount: spans } = draft;
    return {
      ...this.#runs(),
      decimals: draft.decimals,
      values: arena.floats(draft.values, draft.count),
      spans: {
        series: arena.zeros(spans),
        startMs: arena.floats(draft.spanStartMs, spans),
        stepMs: arena.integers(draft.spanStepMs, spans),
        lengthMs: arena.integers(draft.spanLengthMs, spans),
        count: arena.integers(draft.spanReadings, spans),
      },
    };
  }

  #runs(): RunColumns {
    const { labels, versions, count } = this.#draft;
    if (labels.length > 1) {
      return { ...this.#labels(), ...this.#versions() };
    }
    const label = labels.values[0] as number;
    if (versions.length > 1) {
      return { ...this.#labelsOf(label, count), ...this.#versions() };
    }
    const version = versions.values[0] as number;
    let shared = this.#shared;
    if (shared?.label !== label || shared.version !== version || shared.byCount.size >= sharedCountsMax) {
      shared = { label, version, byCount: new Map() };
      this.#shared = shared;
    }
    let known = shared.byCount.get(count);
    if (known === undefined) {
      // Nothing of the arena, whose blocks it would keep.
      const versions = versionsOf([versionAt(this.#attributes.versions, version)]);
      known = { ...this.#labelsOf(label, count), version: constantRuns(0, count), versions };
      shared.byCount.set(count, known);
    }
    return known;
  }

  /** Of so many readings that all have this one. */
  #labelsOf(label: number, count: number): LabelColumns {
    let shared = this.#sharedLabels;
    if (shared?.label !== label || shared.byCount.size >= sharedCountsMax) {
      shared = { label, byCount: new Map() };
      this.#sharedLabels = shared;
    }
    let known = shared.byCount.get(count);
    if (known === undefined) {
      known = this.#labels();
      shared.byCount.set(count, known);
    }
    return known;
  }

  #labels(): LabelColumns {
    const { labels } = this.#draft;
    const texts = new LocalTexts(this.#attributes.labels.texts);
    const field = (name: keyof Label): Runs => {
      const builder = new RunsBuilder();
      let start = 0;
      for (let run = 0; run < labels.length; run++) {
        const end = labels.ends[run] as number;
        const value = this.#attributes.labels.at(labels.values[run] as number)[name];
        builder.push(name === 'quality' ? value : texts.index(value), end - start);
        start = end;
      }
      return builder.finish();
    };
    return {
      quality: field('quality'),
      unit: field('unit'),
      code: field('code'),
      method: field('method'),
      reason: field('reason'),
      texts: texts.texts,
    };
  }

  #versions(): VersionColumns {
    const { versions: runs } = this.#draft;
    const { declared, acceptedAtMs, activation, ticket, computed } = this.#attributes.versions;
    const arena = this.#arena;
    const { rows, count, numbers } = isRising(runs)
      ? { rows: runs.values, count: runs.length, numbers: arena.counting(runs.length) }
      : numbered(runs);
    return {
      version: { ends: arena.integers(runs.ends, runs.length), values: numbers },
      versions: {
        declared: arena.floatsAt(declared, rows, count),
        acceptedAtMs: arena.floatsAt(acceptedAtMs, rows, count),
        activation: arena.floatsAt(activation, rows, count),
        ticket: arena.floatsAt(ticket, rows, count),
        computed: arena.bytesAt(computed, rows, count),
      },
    };
  }
}

/** The order of live readings, each of which came later than the one before it: no row comes twice. */
function isRising({ values, length }: GrowingRuns): boolean {
  let run = 1;
  while (run < length && (values[run] as number) > (values[run - 1] as number)) {
    run += 1;
  }
  return run >= length;
}

/** The `count` rows that runs hold, by first use, and of each run the number of its own. */
function numbered({ values, length }: GrowingRuns): { rows: Uint32Array; count: number; numbers: Uint32Array } {
  const known = new Map<number, number>();
  const numbers = new Uint32Array(length);
  for (let run = 0; run < length; run++) {
    const row = values[run] as number;
    const number = known.get(row) ?? known.size;
    known.set(row, number);
    numbers[run] = number;
  }
  return { rows: Uint32Array.from(known.keys()), count: known.size, numbers };
}

type LabelColumns = Pick<ReadingColumns, 'quality' | 'unit' | 'code' | 'method' | 'reason' | 'texts'>;
type VersionColumns = Pick<ReadingColumns, 'version' | 'versions'>;
type RunColumns = LabelColumns & VersionColumns;

/** Numbers the texts that a set uses, from 1; 0 is the empty one. */
class LocalTexts {
  readonly texts: string[] = [''];
  readonly #all: readonly string[];
  readonly #index = new Map<number, number>([[0, 0]]);

  constructor(all: readonly string[]) {
    this.#all = all;
  }

  index(text: number): number {
    let index = this.#index.get(text);
    if (index === undefined) {
      index = this.texts.push(this.#all[text] as string) - 1;
      this.#index.set(text, index);
    }
    return index;
  }
}

/** Decodes one blob; see {@link SegmentColumnsReader} for many. */
export function decodeSegment(blob: Uint8Array, day: number): ReadingColumns[] {
  return new SegmentColumnsReader().read(blob, day);
}
