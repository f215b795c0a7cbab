import { completeReasons, type WindowsComplete } from '@meterflow/aggregates';
import { carriedFields, checkFormat, formatOf, writeCarried, type Carrier } from './carried-fields.ts';
import { checkCount } from './check-count.ts';
import { checkIntegers } from './check-integers.ts';
import { checkSameLength } from './check-spans.ts';
import { asIntegrity } from './integrity.ts';
import { readTenant } from './layer-field.ts';
import { MalformedMessageError } from './malformed-message-error.ts';
import { block, blocks, MessageFields, varint, type MessageShape } from './message-fields.ts';
import { instantMsMax, messageLimits } from './message-limits.ts';
import { readSeries, writeSeries } from './series-names.ts';
import { WireWriter } from './wire-writer.ts';

const { completeMax, seriesMax } = messageLimits;

const shape: MessageShape = [
  undefined,
  varint('format'),
  block('tenant'),
  blocks('series', seriesMax),
  block('index'),
  block('start_ms'),
  block('end_ms'),
  block('ticket'),
  block('reason'),
  block('count'),
  block('expected'),
];

const writer = new WireWriter();

/** The message as bytes, the same for the same message. Throws IntegrityError where columns contradict each other. */
export function encodeWindowsComplete(complete: WindowsComplete & Carrier): Uint8Array<ArrayBuffer> {
  return asIntegrity(() => {
    check(complete);
    writer.begin();
    writeCarried(writer, complete);
    writer.column(10, complete.expected);
    writer.column(9, complete.count);
    writer.column(8, complete.reason);
    writer.column(7, complete.ticket);
    writer.column(6, complete.endMs);
    writer.column(5, complete.startMs);
    writer.column(4, complete.index);
    writeSeries(writer, 3, complete.series);
    writer.text(2, complete.tenant);
    writer.unsigned(1, formatOf(complete));
    return writer.finish();
  });
}

/** The message that the bytes hold, checked in full. Throws MalformedMessageError, whatever the bytes are. */
export function decodeWindowsComplete(payload: Uint8Array): WindowsComplete & Carrier {
  const fields = MessageFields.of(payload, shape);
  const format = checkFormat(fields, 1);
  const complete: WindowsComplete & Carrier = {
    tenant: readTenant(fields, 2),
    series: readSeries(fields, 3),
    index: fields.uint32s(4, completeMax),
    startMs: fields.float64s(5, completeMax),
    endMs: fields.float64s(6, completeMax),
    ticket: fields.float64s(7, completeMax),
    reason: fields.bytesColumn(8, completeMax),
    count: fields.uint32s(9, completeMax),
    expected: fields.uint32s(10, completeMax),
    ...carriedFields(fields, format),
  };
  check(complete);
  return complete;
}

function check({ series, index, startMs, endMs, ticket, reason, count, expected }: WindowsComplete): void {
  checkCount('series', series.length, seriesMax);
  checkCount('index', index.length, completeMax);
  checkSameLength({ index, start_ms: startMs, end_ms: endMs, ticket, reason, count, expected }, 'columns');
  checkIntegers(startMs, 'start_ms', { min: -instantMsMax, max: instantMsMax });
  checkIntegers(endMs, 'end_ms', { min: -instantMsMax, max: instantMsMax });
  checkIntegers(ticket, 'ticket', { min: 0 });
  for (let row = 0; row < index.length; row++) {
    if ((index[row] as number) >= series.length) {
      throw new MalformedMessageError(
        'message-value',
        `index[${row}]`,
        `points to ${index[row] as number} of ${series.length}`,
      );
    }
    if ((reason[row] as number) >= completeReasons.length) {
      throw new MalformedMessageError('message-value', `reason[${row}]`, `${reason[row] as number} is not a reason`);
    }
    if ((startMs[row] as number) > (endMs[row] as number)) {
      throw new MalformedMessageError('message-mismatch', `end_ms[${row}]`, 'lies before start_ms');
    }
  }
}
