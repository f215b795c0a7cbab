import type { Touched } from '@meterflow/readings';
import { checkCount } from './check-count.ts';
import { checkIntegers } from './check-integers.ts';
import { checkSameLength } from './check-spans.ts';
import { MalformedMessageError } from './malformed-message-error.ts';
import { block, blocks, type MessageFields, type MessageShape } from './message-fields.ts';
import { instantMsMax, messageLimits } from './message-limits.ts';
import { readSeries, writeSeries } from './series-names.ts';
import type { WireWriter } from './wire-writer.ts';

const { touchedMax, seriesMax } = messageLimits;

const shape: MessageShape = [undefined, blocks('series', seriesMax), block('index'), block('from_ms'), block('to_ms')];

export function writeTouched(writer: WireWriter, field: number, touched: Touched): void {
  const { mark } = writer;
  writer.column(4, touched.toMs);
  writer.column(3, touched.fromMs);
  writer.column(2, touched.index);
  writeSeries(writer, 1, touched.series);
  writer.message(field, mark);
}

export function readTouched(fields: MessageFields, number: number): Touched {
  const touched = fields.message(number, shape);
  return {
    series: readSeries(touched, 1),
    index: touched.uint32s(2, touchedMax),
    fromMs: touched.float64s(3, touchedMax),
    toMs: touched.float64s(4, touchedMax),
  };
}

export function checkTouched(touched: Touched, path: string): void {
  const { series, index, fromMs, toMs } = touched;
  checkCount(`${path}.series`, series.length, seriesMax);
  checkCount(path, index.length, touchedMax);
  checkSameLength({ index, from_ms: fromMs, to_ms: toMs }, path);
  checkIntegers(fromMs, `${path}.from_ms`, { min: -instantMsMax, max: instantMsMax });
  checkIntegers(toMs, `${path}.to_ms`, { min: -instantMsMax, max: instantMsMax });
  for (let row = 0; row < index.length; row++) {
    if ((index[row] as number) >= series.length) {
      const problem = `points to ${index[row] as number} of ${series.length}`;
      throw new MalformedMessageError('message-value', `${path}.index[${row}]`, problem);
    }
    if ((fromMs[row] as number) > (toMs[row] as number)) {
      throw new MalformedMessageError('message-mismatch', `${path}.to_ms[${row}]`, 'lies before from_ms');
    }
  }
}
