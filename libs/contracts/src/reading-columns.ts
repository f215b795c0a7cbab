import { decimalsMax, missingCode, type ReadingColumns } from '@meterflow/readings';
import { checkCount } from './check-count.ts';
import { checkSpans } from './check-spans.ts';
import { MalformedMessageError } from './malformed-message-error.ts';
import { block, blocks, varint, type MessageFields, type MessageShape } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import { checkRuns, readRuns, writeRuns } from './runs-field.ts';
import { readValues, writeValues, zeroWhereMissing } from './values-field.ts';
import { checkVersions, readVersions, writeVersions } from './versions-field.ts';
import type { WireWriter } from './wire-writer.ts';

const { readingsMax, textsMax, textBytesMax } = messageLimits;

const shape: MessageShape = [
  undefined,
  block('spans'),
  varint('decimals'),
  block('values_narrow'),
  block('values_wide'),
  block('quality'),
  block('version'),
  block('versions'),
  block('unit'),
  block('code'),
  block('method'),
  block('reason'),
  blocks('texts', textsMax),
];

const spansShape: MessageShape = [
  undefined,
  block('series'),
  block('start_ms'),
  block('step_ms'),
  block('length_ms'),
  block('count'),
];

export function writeColumns(writer: WireWriter, field: number, columns: ReadingColumns): void {
  const { mark } = writer;
  writeTexts(writer, 12, columns.texts);
  writeRuns(writer, 11, columns.reason);
  writeRuns(writer, 10, columns.method);
  writeRuns(writer, 9, columns.code);
  writeRuns(writer, 8, columns.unit);
  writeVersions(writer, 7, columns.versions);
  writeRuns(writer, 6, columns.version);
  writeRuns(writer, 5, columns.quality);
  writeValues(writer, columns);
  writer.unsigned(2, columns.decimals);
  writeSpans(writer, columns);
  writer.message(field, mark);
}

function writeSpans(writer: WireWriter, { spans }: ReadingColumns): void {
  const { mark } = writer;
  writer.column(5, spans.count);
  writer.column(4, spans.lengthMs);
  writer.column(3, spans.stepMs);
  writer.column(2, spans.startMs);
  writer.column(1, spans.series);
  writer.message(1, mark);
}

/** A tag of one byte and a length of two. */
const longTextHeaderBytes = 3;

export function writeTexts(writer: WireWriter, field: number, texts: readonly string[]): void {
  for (let index = texts.length - 1; index >= 0; index--) {
    const { mark } = writer;
    writer.entry(field, texts[index] as string);
    if (writer.mark - mark > textBytesMax + longTextHeaderBytes) {
      throw new MalformedMessageError('message-limit', `texts[${index}]`, `more than ${textBytesMax} bytes`);
    }
  }
}

/** Reads the columns. Nothing is checked yet but values, counts and lengths in bytes: see {@link checkColumns}. */
export function readColumns(parent: MessageFields, number: number): ReadingColumns {
  const fields = parent.message(number, shape);
  const spans = fields.message(1, spansShape);
  const quality = readRuns(fields, 5, readingsMax);
  const values = readValues(fields);
  return {
    spans: {
      series: spans.uint32s(1, readingsMax),
      startMs: spans.float64s(2, readingsMax),
      stepMs: spans.uint32s(3, readingsMax),
      lengthMs: spans.uint32s(4, readingsMax),
      count: spans.uint32s(5, readingsMax),
    },
    decimals: fields.unsigned(2, decimalsMax),
    values: zeroWhereMissing(values, quality),
    quality,
    version: readRuns(fields, 6, readingsMax),
    versions: readVersions(fields, 7),
    unit: readRuns(fields, 8, readingsMax),
    code: readRuns(fields, 9, readingsMax),
    method: readRuns(fields, 10, readingsMax),
    reason: readRuns(fields, 11, readingsMax),
    texts: fields.texts(12, textBytesMax),
  };
}

/** Checks all that columns promise but the values themselves, in time proportional to spans and runs. */
export function checkColumns(columns: ReadingColumns, series: number): void {
  const count = columns.values.length;
  const { texts } = columns;
  checkCount('columns.values', count, readingsMax);
  checkCount('columns.texts', texts.length, textsMax);
  checkSpans(columns.spans, 'columns.spans', { readings: count, series });
  checkVersions(columns.versions, 'columns.versions');
  checkRuns(columns.quality, 'columns.quality', { count, valuesEnd: missingCode + 1 });
  checkRuns(columns.version, 'columns.version', { count, valuesEnd: columns.versions.declared.length });
  const textRuns = { count, valuesEnd: texts.length };
  checkRuns(columns.unit, 'columns.unit', textRuns);
  checkRuns(columns.code, 'columns.code', textRuns);
  checkRuns(columns.method, 'columns.method', textRuns);
  checkRuns(columns.reason, 'columns.reason', textRuns);
  if (texts.length > 0 && texts[0] !== '') {
    throw new MalformedMessageError('message-value', 'columns.texts[0]', 'is not the empty text');
  }
}
