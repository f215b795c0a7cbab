import { Attributes } from './attributes.ts';
import { DaySlots } from './day-slots.ts';
import { GroupMerger, type DayExtent } from './merge-group.ts';
import { SegmentColumnsReader } from './segment-codec.ts';
import { SegmentDecoder } from './segment-decoder.ts';
import { SegmentDraft } from './segment-draft.ts';
import { SegmentEncoder } from './segment-encoder.ts';
import { dayMs } from './segment-format.ts';

/** Several segments of one series-day as one. */
export interface MergedSegments {
  readonly blob: Uint8Array;
  /** What was superseded, as a blob. */
  readonly replaced: Uint8Array | undefined;
  readonly extent: DayExtent;
}

const oneSeries = Int32Array.of(0);
/** The tables of labels start over after so many merges, so that endless reasons take no endless memory. */
const mergesMax = 10_000;

/**
 * Merges segments of one series-day into one, by version: in whatever order they come, the latest readings are the same.
 * There are two ways, which agree: segments that share a grid and no slot are laid beside each other, as those of a
 * meter that sends interval by interval; all others meet as batches do.
 */
export class SegmentMerger {
  readonly #merger = new GroupMerger();
  #ways = newWays();
  #merges = 0;

  /** The blobs are of one day, and at least one. What is returned is the caller's. Throws CorruptSegmentError. */
  merge(blobs: readonly Uint8Array[], day: number): MergedSegments {
    this.#merges += 1;
    if (this.#merges % mergesMax === 0) {
      this.#ways = newWays();
    }
    return this.#layBeside(blobs, day) ?? this.#meet(blobs, day);
  }

  /** The blob of the latest readings; the very blob where there is one. */
  latest(blobs: readonly Uint8Array[], day: number): Uint8Array {
    const [only] = blobs;
    return blobs.length === 1 && only !== undefined ? only : this.merge(blobs, day).blob;
  }

  /** Undefined where that can't be: nothing was changed then. */
  #layBeside(blobs: readonly Uint8Array[], day: number): MergedSegments | undefined {
    const { attributes, decoder, encoder, slots, drafts, drawn } = this.#ways;
    attributes.versions.length = 0;
    decoder.forget();
    encoder.forgetVersions(0);
    const dayStartMs = day * dayMs;
    for (const [index, blob] of blobs.entries()) {
      const draft = (drafts[index] ??= new SegmentDraft());
      decoder.open(blob);
      decoder.next(draft, dayStartMs);
      if (!decoder.finished || !this.#fits(draft, index === 0, dayStartMs)) {
        return undefined;
      }
    }
    let firstMs = Infinity;
    let lastMs = -Infinity;
    for (let index = 0; index < blobs.length; index++) {
      const draft = drafts[index] as SegmentDraft;
      if (
        !slots.isFree(draft) ||
        !slots.scales(draft.values, draft.decimals, { from: draft.first, to: draft.first + draft.count })
      ) {
        slots.clear();
        return undefined;
      }
      slots.load(draft);
      firstMs = Math.min(firstMs, draft.spanStartMs[0] as number);
      lastMs = Math.max(lastMs, lastStartMs(draft));
    }
    slots.draw(drawn);
    encoder.begin();
    encoder.append(drawn, dayStartMs);
    return { blob: encoder.finish().slice(), replaced: undefined, extent: { firstMs, lastMs } };
  }

  /** True where the draft's readings lie on the grid, which the first draft lays. */
  #fits(draft: SegmentDraft, isFirst: boolean, dayStartMs: number): boolean {
    const { slots } = this.#ways;
    if (isFirst && !slots.begin(dayStartMs, draft.spanStartMs[0] as number, draft.spanLengthMs[0] as number)) {
      return false;
    }
    for (let span = 0; span < draft.spanCount; span++) {
      const lengthMs = draft.spanLengthMs[span] as number;
      if (!slots.holds(draft.spanStartMs[span] as number, draft.spanStepMs[span] as number, lengthMs)) {
        return false;
      }
    }
    slots.share(draft.decimals);
    return true;
  }

  #meet(blobs: readonly Uint8Array[], day: number): MergedSegments {
    const merger = this.#merger;
    const { reader } = this.#ways;
    merger.begin();
    for (const blob of blobs) {
      for (const columns of reader.read(blob, day)) {
        merger.add({ columns }, oneSeries);
      }
    }
    merger.sort();
    merger.next();
    const blob = merger.merge(undefined);
    if (blob === undefined) {
      throw new RangeError('no segments to merge');
    }
    return { blob: blob.slice(), replaced: merger.history()?.slice(), extent: merger.extent() };
  }
}

interface Ways {
  readonly attributes: Attributes;
  readonly decoder: SegmentDecoder;
  readonly encoder: SegmentEncoder;
  readonly slots: DaySlots;
  /** One for each blob of a merge, used again. */
  readonly drafts: SegmentDraft[];
  readonly drawn: SegmentDraft;
  readonly reader: SegmentColumnsReader;
}

function newWays(): Ways {
  const attributes = new Attributes();
  return {
    attributes,
    decoder: new SegmentDecoder(attributes),
    encoder: new SegmentEncoder(attributes),
    slots: new DaySlots(attributes),
    drafts: [],
    drawn: new SegmentDraft(),
    reader: new SegmentColumnsReader(),
  };
}

function lastStartMs({ spanCount, spanStartMs, spanStepMs, spanReadings }: SegmentDraft): number {
  const last = spanCount - 1;
  return (spanStartMs[last] as number) + ((spanReadings[last] as number) - 1) * (spanStepMs[last] as number);
}
