import { missingCode } from '@meterflow/readings';
import type { Attributes } from './attributes.ts';
import type { DayPieces, SeriesDayPieces } from './day-pieces.ts';
import { DayRun } from './day-run.ts';
import { DaySlots, type MergeReport } from './day-slots.ts';
import { UniformSteps, type IncomingColumns } from './incoming-columns.ts';
import { displacedBy, isKept, judge, outcomeMask, replaces, whoseIsKept, type Statement } from './judge.ts';
import { insertedIndex, type OutcomeTally } from './outcome-tally.ts';
import { ReadingList } from './reading-list.ts';
import { SegmentDecoder } from './segment-decoder.ts';
import { SegmentDraft } from './segment-draft.ts';
import { SegmentEncoder } from './segment-encoder.ts';
import { dayMs, readingsPerDayMax } from './segment-format.ts';
import { UnstorableBatchError } from './unstorable-batch-error.ts';

/** Of what a merge replaced the readings that the same batch has to do with. */
export interface HistoryPart {
  /** See {@link whoseIsKept}. */
  readonly by: number;
  readonly blob: Uint8Array;
}

const noParts: readonly HistoryPart[] = [];

/**
 * Merges the pieces of one series-day into what is stored of it. There are four ways, which agree: one piece into an
 * empty day is encoded as it is, pieces that follow each other are put together; readings on one grid meet in slots;
 * anything else is sorted and folded.
 */
export class DayMerger {
  readonly #attributes: Attributes;
  readonly #decoder: SegmentDecoder;
  readonly #encoder: SegmentEncoder;
  readonly #historyEncoder: SegmentEncoder;
  readonly #slots: DaySlots;
  readonly #run = new DayRun();
  readonly #stored = new SegmentDraft();
  readonly #draft = new SegmentDraft();
  readonly #list = new ReadingList();
  readonly #replaced = new ReadingList();
  readonly #report: MergeReport;
  readonly #steps = new UniformSteps();
  readonly #standing: Statement = { value: 0, decimals: 0, label: 0, version: 0 };
  readonly #incoming: Statement = { value: 0, decimals: 0, label: 0, version: 0 };
  /** Sends every day the general way. For tests that hold the ways against each other. */
  readonly #generalOnly: boolean;

  constructor(attributes: Attributes, tally: OutcomeTally, options: { readonly generalOnly?: boolean } = {}) {
    this.#attributes = attributes;
    this.#decoder = new SegmentDecoder(attributes);
    this.#encoder = new SegmentEncoder(attributes);
    this.#historyEncoder = new SegmentEncoder(attributes);
    this.#slots = new DaySlots(attributes);
    this.#report = { tally, replaced: this.#replaced };
    this.#generalOnly = options.generalOnly ?? false;
  }

  /**
   * Returns the day's new blob, undefined where nothing changed. A view that the next call makes void. Throws
   * CorruptSegmentError for a stored blob that can't be read.
   */
  merge(stored: Uint8Array | undefined, day: SeriesDayPieces): Uint8Array | undefined {
    const versionsBefore = this.#attributes.versions.length;
    this.#encoder.forgetVersions(versionsBefore);
    this.#historyEncoder.forgetVersions(versionsBefore);
    this.#replaced.reset();
    this.#encoder.begin();
    const changed = this.#mergeBy(stored, day);
    const blob = changed ? this.#encoder.finish() : undefined;
    // The versions of this day's blob are of no use to the next one, but for the row that the decoder remembers.
    this.#attributes.versions.length = Math.max(versionsBefore, this.#decoder.versionKept + 1);
    return blob;
  }

  /** Empties the table of versions: a new group begins. */
  reset(): void {
    this.#attributes.versions.length = 0;
    this.#decoder.forget();
    this.#encoder.forgetVersions(0);
    this.#historyEncoder.forgetVersions(0);
  }

  /** What the last `merge` replaced, as a blob for the history; undefined where that is nothing. */
  history(day: number): Uint8Array | undefined {
    return this.#replaced.length === 0 ? undefined : this.#historyOf(this.#replaced.sorted(), day);
  }

  /**
   * The same by who has to do with it, see {@link whoseIsKept}: values of one version in the order in which they stood. A
   * part is void after the next.
   */
  historyParts(day: number): Iterable<HistoryPart> {
    // Nearly always, and once for every day that is stored.
    return this.#replaced.length === 0 ? noParts : this.#parts(day);
  }

  *#parts(day: number): Generator<HistoryPart> {
    const replaced = this.#replaced;
    const rows = replaced.sorted();
    const whose = new Set(rows.map((row) => replaced.batch[row] as number));
    for (const by of [...whose].sort((a, b) => turnOf(a) - turnOf(b))) {
      const own = whose.size === 1 ? rows : rows.filter((row) => replaced.batch[row] === by);
      yield { by, blob: this.#historyOf(own, day) };
    }
  }

  #historyOf(rows: readonly number[], day: number): Uint8Array {
    const encoder = this.#historyEncoder;
    encoder.begin();
    this.#replaced.encode(rows, day * dayMs, { encoder, draft: this.#draft });
    return encoder.finish();
  }

  #mergeBy(stored: Uint8Array | undefined, day: SeriesDayPieces): boolean {
    const dayStartMs = day.day * dayMs;
    if (this.#generalOnly) {
      return this.#mergeList(stored, day);
    }
    if (stored === undefined) {
      if (day.to - day.from === 1 ? this.#mergeWhole(day) : this.#mergeRun(day)) {
        return true;
      }
      return this.#fitsSlots(undefined, day) ? this.#mergeSlots(undefined, day) : this.#mergeList(undefined, day);
    }
    this.#decoder.open(stored);
    this.#decoder.next(this.#stored, dayStartMs);
    if (this.#decoder.finished && this.#fitsSlots(this.#stored, day)) {
      return this.#mergeSlots(this.#stored, day);
    }
    return this.#mergeList(stored, day);
  }

  /** One piece, one label, one version, nothing stored: the piece is the day. */
  #mergeWhole({ day, pieces, from, columns }: SeriesDayPieces): boolean {
    const piece = pieces.order[from] as number;
    const batch = pieces.batch[piece] as number;
    const incoming = columns[batch] as IncomingColumns;
    const first = pieces.first[piece] as number;
    const count = pieces.count[piece] as number;
    const lengthMs = pieces.lengthMs[piece] as number;
    const stepMs = count === 1 ? lengthMs : (pieces.stepMs[piece] as number);
    const steps = this.#steps;
    steps.seek(incoming, first, first + count);
    steps.next();
    const regular = count === 1 || (stepMs > 0 && (lengthMs === 0 || stepMs === lengthMs));
    if (!regular || steps.to < first + count || this.#attributes.labels.quality(steps.label) === missingCode) {
      return false;
    }
    const draft = this.#draft;
    draft.reset();
    draft.borrow(incoming.values, first, count);
    draft.decimals = incoming.decimals;
    draft.openSpan(pieces.startMs[piece] as number, stepMs, lengthMs);
    draft.spanReadings[0] = count;
    draft.labels.extend(steps.label, count);
    draft.versions.extend(steps.version, count);
    this.#encoder.append(draft, day * dayMs);
    this.#report.tally.add(batch, insertedIndex, count);
    return true;
  }

  /** Pieces that follow each other, nothing stored. */
  #mergeRun(day: SeriesDayPieces): boolean {
    const draft = this.#draft;
    if (
      !this.#run.fill(draft, day) ||
      this.#attributes.labels.quality(draft.labels.values[0] as number) === missingCode
    ) {
      return false;
    }
    this.#encoder.append(draft, day.day * dayMs);
    this.#run.count(day, this.#report.tally);
    return true;
  }

  /** Lays the grid; true where it holds all readings and their values share one count of decimals. */
  #fitsSlots(stored: SegmentDraft | undefined, day: SeriesDayPieces): boolean {
    const { pieces, from, to, columns } = day;
    const slots = this.#slots;
    const firstPiece = pieces.order[from] as number;
    const lengthMs = pieces.lengthMs[firstPiece] as number;
    if (!slots.begin(day.day * dayMs, pieces.startMs[firstPiece] as number, lengthMs)) {
      return false;
    }
    for (let place = from; place < to; place++) {
      const piece = pieces.order[place] as number;
      const stepMs = pieces.count[piece] === 1 ? lengthMs : (pieces.stepMs[piece] as number);
      if (!slots.holds(pieces.startMs[piece] as number, stepMs, pieces.lengthMs[piece] as number)) {
        return false;
      }
      slots.share((columns[pieces.batch[piece] as number] as IncomingColumns).decimals);
    }
    return this.#storedFits(stored) && this.#piecesScale(day);
  }

  #storedFits(stored: SegmentDraft | undefined): boolean {
    if (stored === undefined) {
      return true;
    }
    const slots = this.#slots;
    for (let span = 0; span < stored.spanCount; span++) {
      const stepMs = stored.spanStepMs[span] as number;
      if (!slots.holds(stored.spanStartMs[span] as number, stepMs, stored.spanLengthMs[span] as number)) {
        return false;
      }
    }
    slots.share(stored.decimals);
    return slots.scales(stored.values, stored.decimals, { from: stored.first, to: stored.first + stored.count });
  }

  #piecesScale({ pieces, from, to, columns }: SeriesDayPieces): boolean {
    for (let place = from; place < to; place++) {
      const piece = pieces.order[place] as number;
      const { values, decimals } = columns[pieces.batch[piece] as number] as IncomingColumns;
      const first = pieces.first[piece] as number;
      if (!this.#slots.scales(values, decimals, { from: first, to: first + (pieces.count[piece] as number) })) {
        return false;
      }
    }
    return true;
  }

  #mergeSlots(stored: SegmentDraft | undefined, { day, pieces, from, to, columns }: SeriesDayPieces): boolean {
    const slots = this.#slots;
    if (stored !== undefined) {
      slots.load(stored);
    }
    const at = { pieces, index: 0 };
    for (let place = from; place < to; place++) {
      at.index = pieces.order[place] as number;
      slots.merge(columns[pieces.batch[at.index] as number] as IncomingColumns, at, this.#report);
    }
    if (!slots.changed) {
      slots.clear();
      return false;
    }
    slots.draw(this.#draft);
    this.#encoder.append(this.#draft, day * dayMs);
    return true;
  }

  /** The general way: every reading a row, sorted by identity, the rows of one identity folded in the order they came. */
  #mergeList(stored: Uint8Array | undefined, day: SeriesDayPieces): boolean {
    const list = this.#list;
    list.reset();
    if (stored !== undefined) {
      this.#decoder.open(stored);
      while (this.#decoder.next(this.#stored, day.day * dayMs)) {
        this.#pushStored();
      }
    }
    const { pieces, columns } = day;
    for (let place = day.from; place < day.to; place++) {
      const piece = pieces.order[place] as number;
      this.#pushPiece(columns[pieces.batch[piece] as number] as IncomingColumns, pieces, piece);
    }
    const { kept, changed } = this.#fold(list.sorted());
    if (changed) {
      if (kept.length > readingsPerDayMax) {
        throw new UnstorableBatchError('day-too-full', `a series would have ${kept.length} readings in one day`);
      }
      list.encode(kept, day.day * dayMs, { encoder: this.#encoder, draft: this.#draft });
    }
    return changed;
  }

  #pushStored(): void {
    const stored = this.#stored;
    const says = this.#standing;
    says.decimals = stored.decimals;
    let index = 0;
    let labelRun = 0;
    let versionRun = 0;
    for (let span = 0; span < stored.spanCount; span++) {
      const readings = stored.spanReadings[span] as number;
      for (let reading = 0; reading < readings; reading++, index++) {
        while ((stored.labels.ends[labelRun] as number) <= index) {
          labelRun += 1;
        }
        while ((stored.versions.ends[versionRun] as number) <= index) {
          versionRun += 1;
        }
        says.value = stored.values[stored.first + index] as number;
        says.label = stored.labels.values[labelRun] as number;
        says.version = stored.versions.values[versionRun] as number;
        const startMs = (stored.spanStartMs[span] as number) + reading * (stored.spanStepMs[span] as number);
        this.#list.push(startMs, stored.spanLengthMs[span] as number, says);
      }
    }
  }

  #pushPiece(columns: IncomingColumns, pieces: DayPieces, piece: number): void {
    const list = this.#list;
    const says = this.#incoming;
    const first = pieces.first[piece] as number;
    const steps = this.#steps;
    steps.seek(columns, first, first + (pieces.count[piece] as number));
    while (steps.next()) {
      const absent = this.#attributes.labels.quality(steps.label) === missingCode;
      says.label = steps.label;
      says.version = steps.version;
      says.decimals = absent ? 0 : columns.decimals;
      for (let index = steps.from; index < steps.to; index++) {
        says.value = absent ? 0 : (columns.values[index] as number);
        const startMs = (pieces.startMs[piece] as number) + (index - first) * (pieces.stepMs[piece] as number);
        const row = list.push(startMs, pieces.lengthMs[piece] as number, says);
        list.batch[row] = pieces.batch[piece] as number;
      }
    }
  }

  #fold(rows: readonly number[]): { kept: number[]; changed: boolean } {
    const list = this.#list;
    const kept: number[] = [];
    let changed = false;
    for (const row of rows) {
      const last = kept.at(-1);
      const batch = list.batch[row] as number;
      if (
        last === undefined ||
        list.startMs[last] !== list.startMs[row] ||
        list.lengthMs[last] !== list.lengthMs[row]
      ) {
        kept.push(row);
        if (batch >= 0) {
          changed = true;
          this.#report.tally.add(batch, insertedIndex, 1);
        }
      } else if (this.#replace(last, row)) {
        kept[kept.length - 1] = row;
        changed = true;
      }
    }
    return { kept, changed };
  }

  /** Counts what became of `row`, and returns whether it takes the place of `standing`. */
  #replace(standing: number, row: number): boolean {
    const list = this.#list;
    const { tally, replaced } = this.#report;
    list.statement(standing, this.#standing);
    list.statement(row, this.#incoming);
    const verdict = judge(this.#attributes, this.#standing, this.#incoming);
    const outcome = verdict & outcomeMask;
    const batch = list.batch[row] as number;
    tally.add(batch, outcome, 1);
    if (isKept(verdict)) {
      const earlier = (verdict & replaces) === 0 ? this.#incoming : this.#standing;
      const kept = replaced.push(list.startMs[row] as number, list.lengthMs[row] as number, earlier);
      replaced.batch[kept] = whoseIsKept(verdict, batch);
    }
    return (verdict & replaces) !== 0;
  }
}

/** First what others of its version displaced, as they came; then what was superseded, the last that stood; then what never did. */
function turnOf(by: number): number {
  return by < -1 ? displacedBy(by) - Number.MAX_SAFE_INTEGER : by;
}
