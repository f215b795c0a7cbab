import {
  decimalsMax,
  integerMax,
  missingCode,
  runIndex,
  RunsCursor,
  type ReadingColumns,
  type Runs,
  type Versions,
} from '@meterflow/readings';
import type { Attributes } from './attributes.ts';
import type { Label } from './label-table.ts';
import { UnstorableBatchError } from './unstorable-batch-error.ts';

/** A batch's columns on their way into segments: its five text and quality columns as one column of labels. */
export interface IncomingColumns {
  readonly values: Float64Array;
  readonly decimals: number;
  readonly labels: Runs;
  readonly versions: Runs;
}

/** Takes columns in. Throws {@link UnstorableBatchError} where they contradict themselves. */
export function incomingColumns(columns: ReadingColumns, attributes: Attributes): IncomingColumns {
  const { values, decimals } = columns;
  if (!(Number.isInteger(decimals) && decimals >= 0 && decimals <= decimalsMax)) {
    throw broken(`${decimals} decimals`);
  }
  for (const value of values) {
    // Nearly all values are 32-bit integers, and this tells them at a fraction of the cost.
    if ((value | 0) === value) {
      continue;
    }
    if (!(value <= integerMax && value >= -integerMax && Math.trunc(value) === value)) {
      throw broken('a value that is no exact integer');
    }
  }
  return { values, decimals, labels: labelRuns(columns, attributes), versions: versionRuns(columns, attributes) };
}

function broken(what: string): UnstorableBatchError {
  return new UnstorableBatchError('broken-columns', `the batch has ${what}`);
}

function checkRuns(runs: Runs, count: number, max: number): void {
  const { ends, values } = runs;
  let start = 0;
  for (let run = 0; run < ends.length; run++) {
    const end = ends[run] as number;
    if (end <= start || (values[run] as number) > max) {
      throw broken('a run column out of order or out of range');
    }
    start = end;
  }
  if (start !== count || values.length !== ends.length) {
    throw broken('a run column of another length');
  }
}

function labelRuns(columns: ReadingColumns, { labels }: Attributes): Runs {
  const count = columns.values.length;
  const texts = columns.texts.map((text) => labels.text(text));
  const textColumns = [columns.unit, columns.code, columns.method, columns.reason];
  checkRuns(columns.quality, count, missingCode);
  textColumns.forEach((runs) => {
    checkRuns(runs, count, texts.length - 1);
  });
  const ends = joinedEnds([columns.quality, ...textColumns]);
  const quality = new RunsCursor(columns.quality);
  const [unit, code, method, reason] = textColumns.map((runs) => new RunsCursor(runs)) as [
    RunsCursor,
    RunsCursor,
    RunsCursor,
    RunsCursor,
  ];
  const label: Label = { quality: 0, unit: 0, code: 0, method: 0, reason: 0 };
  const values = new Uint32Array(ends.length);
  for (let run = 0; run < ends.length; run++) {
    const at = (ends[run] as number) - 1;
    label.quality = quality.at(at);
    label.unit = texts[unit.at(at)] as number;
    label.code = texts[code.at(at)] as number;
    label.method = texts[method.at(at)] as number;
    label.reason = texts[reason.at(at)] as number;
    values[run] = labels.intern(label);
  }
  return { ends, values };
}

/** Where any of the columns begins a new run. */
function joinedEnds(columns: readonly Runs[]): Uint32Array {
  if (columns.every((runs) => runs.ends.length <= 1)) {
    return columns[0]?.ends ?? new Uint32Array(0);
  }
  const joined = new Float64Array(columns.reduce((sum, runs) => sum + runs.ends.length, 0));
  let length = 0;
  for (const runs of columns) {
    joined.set(runs.ends, length);
    length += runs.ends.length;
  }
  joined.sort();
  let kept = 0;
  for (let index = 0; index < length; index++) {
    if (kept === 0 || joined[index] !== joined[kept - 1]) {
      joined[kept++] = joined[index] as number;
    }
  }
  return Uint32Array.from(joined.subarray(0, kept));
}

function versionRuns({ version, versions, values }: ReadingColumns, attributes: Attributes): Runs {
  checkRuns(version, values.length, versions.declared.length - 1);
  checkVersions(versions);
  const rows = new Uint32Array(versions.declared.length);
  for (let row = 0; row < rows.length; row++) {
    rows[row] = attributes.versions.append(versions, row);
  }
  return { ends: version.ends, values: version.values.map((row) => rows[row] as number) };
}

function checkVersions(versions: Versions): void {
  const { declared, acceptedAtMs, activation, ticket, computed } = versions;
  for (const column of [declared, acceptedAtMs, activation, ticket]) {
    for (let row = 0; row < declared.length; row++) {
      const part = column[row] as number;
      if (!(Number.isSafeInteger(part) && part >= 0)) {
        throw broken('a version that is no whole number');
      }
    }
  }
  if (computed.length !== declared.length || computed.some((flag) => flag > 1)) {
    throw broken('versions of unequal columns');
  }
}

/** Walks a range of readings in steps within which label and version are the same; `seek`, then `next` until false. */
export class UniformSteps {
  from = 0;
  to = 0;
  label = 0;
  version = 0;
  #columns: IncomingColumns | undefined;
  #end = 0;

  seek(columns: IncomingColumns, from: number, end: number): void {
    this.#columns = columns;
    this.to = from;
    this.#end = end;
  }

  next(): boolean {
    const from = this.to;
    const columns = this.#columns;
    if (columns === undefined || from >= this.#end) {
      return false;
    }
    const { labels, versions } = columns;
    const labelRun = runIndex(labels, from);
    const versionRun = runIndex(versions, from);
    this.from = from;
    this.to = Math.min(this.#end, labels.ends[labelRun] as number, versions.ends[versionRun] as number);
    this.label = labels.values[labelRun] as number;
    this.version = versions.values[versionRun] as number;
    return true;
  }
}
