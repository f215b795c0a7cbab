import type { OriginPiece } from '@meterflow/idempotent-writes';
import { RunsCursor, type ReadingBatch } from '@meterflow/readings';

type OpenPiece = { -readonly [Name in keyof OriginPiece]: OriginPiece[Name] };

/** What a batch brought of one series under one version, in the order of its lines. */
export interface SeriesPieces {
  readonly series: number;
  readonly version: number;
  readonly pieces: OpenPiece[];
}

/**
 * Where the readings of a batch stood in its source, series by series, whatever order the batch has them in. Walks runs
 * of readings, not readings: a file's lines follow each other as its readings do.
 */
export function seriesPieces({ columns, firstLine, lineDeltas, series }: ReadingBatch): readonly SeriesPieces[] {
  const { spans, version } = columns;
  const versions = new RunsCursor(version);
  const deltas = new RunsCursor(lineDeltas);
  const found: SeriesPieces[] = [];
  const open: (SeriesPieces | undefined)[] = new Array<SeriesPieces | undefined>(series.length).fill(undefined);
  let line = firstLine;
  for (let span = 0, index = 0; span < spans.count.length; span++) {
    const of = spans.series[span] as number;
    const stepMs = spans.stepMs[span] as number;
    const lengthMs = spans.lengthMs[span] as number;
    const end = index + (spans.count[span] as number);
    let startMs = spans.startMs[span] as number;
    while (index < end) {
      const ofVersion = versions.at(index);
      const lineStep = deltas.at(index);
      const count = Math.min(end, versions.end, deltas.end) - index;
      let known = open[of];
      if (known?.version !== ofVersion) {
        known = { series: of, version: ofVersion, pieces: [] };
        open[of] = known;
        found.push(known);
      }
      addPiece(known.pieces, { startMs, stepMs, count, lengthMs, line: line + lineStep, lineStep });
      line += count * lineStep;
      startMs += count * stepMs;
      index += count;
    }
  }
  return found;
}

/** Lets the last piece go on where the next begins one step later in time and in lines; one reading tells no step yet. */
function addPiece(pieces: OpenPiece[], next: OpenPiece): void {
  const last = pieces.at(-1);
  if (last?.lengthMs === next.lengthMs) {
    const stepMs = next.startMs - last.startMs - (last.count - 1) * last.stepMs;
    const lineStep = next.line - last.line - (last.count - 1) * last.lineStep;
    const goesOn = last.count === 1 || (last.stepMs === stepMs && last.lineStep === lineStep);
    const leadsOn = next.count === 1 || (next.stepMs === stepMs && next.lineStep === lineStep);
    if (stepMs > 0 && goesOn && leadsOn) {
      Object.assign(last, { stepMs, lineStep, count: last.count + next.count });
      return;
    }
  }
  pieces.push(next.count === 1 ? { ...next, stepMs: 0, lineStep: 0 } : next);
}
