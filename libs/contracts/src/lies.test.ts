import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BatchBuilder, rawVersion, ReadingRow, sliceBatch } from '@meterflow/readings';
import { IntegrityError } from '@meterflow/stage';
import { describe, expect, test } from 'vitest';
import { decodeAggregateBatch, encodeAggregateBatch } from './aggregate-batch.ts';
import { messageLimits } from './message-limits.ts';
import {
  AggregateBatchSchema,
  ReadingBatchSchema,
  StoredNoticeSchema,
  WindowsCompleteSchema,
  type AggregateBatch,
  type ReadingBatch,
  type StoredNotice,
  type WindowsComplete,
} from './protobuf.ts';
import { decodeReadingBatch, encodeReadingBatch } from './reading-batch.ts';
import { decodeStoredNotice } from './stored-notice.ts';
import { goldenMessages } from './testing/golden-messages.ts';
import { decodeWindowsComplete } from './windows-complete.ts';

// Each message here is well-formed protobuf, made by a stock encoder, and says one thing that can't be.

const goldens = goldenMessages();
const golden = (name: string): Uint8Array => goldens.find((one) => one.name === name)!.payload;

/** What is told, how, and the error that it makes: code and place. */
type Lie<Message> = [string, (message: Message) => void, string];

function refusal(error: string): unknown {
  const [code, path] = error.split(' ');
  return expect.objectContaining({ name: 'MalformedMessageError', code, path });
}

const e = 'x'.repeat(65);

test.each<Lie<ReadingBatch>>([
  ['no tenant', (b) => (b.tenant = ''), 'message-value tenant'],
  ['a tenant that names a path', (b) => (b.tenant = '../other'), 'message-value tenant'],
  ['a tenant that is too long', (b) => (b.tenant = 'a'.repeat(64)), 'message-limit tenant'],
  ['no layer', (b) => (b.layer = 0), 'message-value layer'],
  ['an unknown layer', (b) => (b.layer = 3 as never), 'message-value layer'],
  ['no source', (b) => (b.sourceId = ''), 'message-value source_id'],
  ['acceptance at NaN', (b) => (b.acceptedAtMs = Number.NaN), 'message-value accepted_at_ms'],
  ['acceptance at a fraction', (b) => (b.acceptedAtMs = 0.5), 'message-value accepted_at_ms'],
  ['acceptance before 1970', (b) => (b.acceptedAtMs = -1), 'message-value accepted_at_ms'],
  ['an activation beyond 2^53', (b) => (b.activation = 2n ** 53n), 'message-value activation'],
  ['a line beyond 2^53', (b) => (b.firstLine = 2n ** 64n - 1n), 'message-value first_line'],
  ['lines that add up beyond 2^53', (b) => (b.firstLine = 2n ** 53n - 2n), 'message-value line_deltas'],
  ['a first line delta', (b) => (b.lineDeltas!.values[0] = 1), 'message-value line_deltas.values[0]'],
  ['no line deltas', (b) => delete b.lineDeltas, 'message-mismatch line_deltas'],
  ['no columns', (b) => delete b.columns, 'message-mismatch columns'],
  ['a meter without name', (b) => (b.series[1]!.meter = ''), 'message-value series[1].meter'],
  ['a channel without name', (b) => (b.series[1]!.channel = ''), 'message-value series[1].channel'],
  ['a meter of a line break', (b) => (b.series[0]!.meter = 'a\nb'), 'message-value series[0].meter'],
  ['a channel of a DEL', (b) => (b.series[0]!.channel = 'a\u007fbcd'), 'message-value series[0].channel'],
  ['a meter that ends in a space', (b) => (b.series[2]!.meter = 'meter '), 'message-value series[2].meter'],
  ['a meter of 65 characters', (b) => (b.series[0]!.meter = e), 'message-value series[0].meter'],
  ['a meter of 1,000 characters', (b) => (b.series[0]!.meter = e.repeat(16)), 'message-limit series[0].meter'],
  ['ten decimals', (b) => (b.columns!.decimals = 10), 'message-value columns.decimals'],
  ['a first text', (b) => (b.columns!.texts[0] = 'x'), 'message-value columns.texts[0]'],
  ['a text of 3 KB', (b) => (b.columns!.texts[1] = e.repeat(48)), 'message-limit columns.texts'],
  ['no texts', (b) => (b.columns!.texts = []), 'message-value columns.unit.values[0]'],
  ['a text that is not there', (b) => (b.columns!.reason!.values[1] = 3), 'message-value columns.reason.values[1]'],
  [
    'a quality that is not there',
    (b) => (b.columns!.quality!.values[0] = 5),
    'message-value columns.quality.values[0]',
  ],
  [
    'a version that is not there',
    (b) => (b.columns!.version!.values[0] = 1),
    'message-value columns.version.values[0]',
  ],
  ['runs that end too early', (b) => (b.columns!.quality!.ends[2] = 3), 'message-mismatch columns.quality.ends'],
  ['runs that end too late', (b) => (b.columns!.code!.ends[0] = 4_000_000_000), 'message-mismatch columns.code.ends'],
  ['runs that fall', (b) => (b.columns!.quality!.ends[1] = 1), 'message-mismatch columns.quality.ends[1]'],
  ['an empty run', (b) => (b.columns!.quality!.ends[0] = 0), 'message-mismatch columns.quality.ends[0]'],
  ['runs without values', (b) => (b.columns!.method!.values = []), 'message-mismatch columns.method'],
  ['no runs', (b) => delete b.columns!.unit, 'message-mismatch columns.unit'],
  [
    'versions of unequal columns',
    (b) => b.columns!.versions!.ticket.push(1),
    'message-mismatch columns.versions.ticket',
  ],
  [
    'a version of NaN',
    (b) => (b.columns!.versions!.declared[0] = Number.NaN),
    'message-value columns.versions.declared[0]',
  ],
  ['a negative ticket', (b) => (b.columns!.versions!.ticket[0] = -1), 'message-value columns.versions.ticket[0]'],
  [
    'half an activation',
    (b) => (b.columns!.versions!.activation[0] = 0.5),
    'message-value columns.versions.activation[0]',
  ],
  [
    'computed 2',
    (b) => (b.columns!.versions!.computed = Uint8Array.of(2)),
    'message-value columns.versions.computed[0]',
  ],
  ['one value more', (b) => b.columns!.valuesNarrow.push(1), 'message-mismatch columns.spans.count'],
  ['one value less', (b) => b.columns!.valuesNarrow.pop(), 'message-mismatch columns.spans.count'],
  [
    'values both narrow and wide',
    (b) => (b.columns!.valuesWide = [1, 2, 3, 4]),
    'message-mismatch columns.values_wide',
  ],
  ['a span column too short', (b) => b.columns!.spans!.stepMs.pop(), 'message-mismatch columns.spans.step_ms'],
  ['a series that is not there', (b) => (b.columns!.spans!.series[3] = 4), 'message-value columns.spans.series[3]'],
  ['a span of nothing', (b) => (b.columns!.spans!.count[1] = 0), 'message-value columns.spans.count[1]'],
  ['a span of 4 billion', (b) => (b.columns!.spans!.count[1] = 4_294_967_295), 'message-mismatch columns.spans.count'],
  ['a start of infinity', (b) => (b.columns!.spans!.startMs[0] = -1 / 0), 'message-value columns.spans.start_ms[0]'],
  ['half a millisecond', (b) => (b.columns!.spans!.startMs[2] = 1.5), 'message-value columns.spans.start_ms[2]'],
  [
    'a start after the last date',
    (b) => (b.columns!.spans!.startMs[0] = 8.64e15 + 1),
    'message-value columns.spans.start_ms[0]',
  ],
  [
    'an end after the last date',
    (b) => (b.columns!.spans!.startMs[0] = 8.64e15),
    'message-value columns.spans.count[0]',
  ],
])('a reading batch with %s is refused', (_, tell, error) => {
  const message = fromBinary(ReadingBatchSchema, golden('many-meters'));
  tell(message);
  const payload = toBinary(ReadingBatchSchema, message);
  expect(() => decodeReadingBatch(payload)).toThrow(refusal(error));
});

test.each<Lie<ReadingBatch>>([
  ['NaN', (b) => (b.columns!.valuesWide[3] = Number.NaN), 'message-value columns.values_wide[3]'],
  ['infinity', (b) => (b.columns!.valuesWide[3] = Infinity), 'message-value columns.values_wide[3]'],
  ['a fraction', (b) => (b.columns!.valuesWide[0] = 0.5), 'message-value columns.values_wide[0]'],
  ['minus zero', (b) => (b.columns!.valuesWide[0] = -0), 'message-value columns.values_wide[0]'],
  ['2^53', (b) => (b.columns!.valuesWide[0] = 2 ** 53), 'message-value columns.values_wide[0]'],
  ['a step of 0', (b) => (b.columns!.spans!.stepMs[0] = 0), 'message-value columns.spans.step_ms[0]'],
  [
    'overlapping readings',
    (b) => (b.columns!.spans!.lengthMs[0] = 3_600_001),
    'message-value columns.spans.step_ms[0]',
  ],
  ['a key of 15 bytes', (b) => (b.cause!.key = new Uint8Array(15)), 'message-mismatch cause.key'],
  ['no key', (b) => (b.cause!.key = new Uint8Array(0)), 'message-mismatch cause.key'],
  ['a part beyond all parts', (b) => (b.cause!.part = 3), 'message-mismatch cause.part'],
  ['a cause without source', (b) => (b.cause!.sourceId = ''), 'message-value cause.source_id'],
])('a validated batch with %s is refused', (_, tell, error) => {
  const message = fromBinary(ReadingBatchSchema, golden('wide-values'));
  tell(message);
  const payload = toBinary(ReadingBatchSchema, message);
  expect(() => decodeReadingBatch(payload)).toThrow(refusal(error));
});

test.each<Lie<StoredNotice>>([
  ['no key', (n) => (n.key = new Uint8Array(0)), 'message-mismatch key'],
  ['a second cause without key', (n) => (n.causes[1]!.key = new Uint8Array(0)), 'message-mismatch causes[1].key'],
  ['no touched spans', (n) => delete n.touched, 'message-mismatch touched'],
  ['a series that is not there', (n) => (n.touched!.index[2] = 2), 'message-value touched.index[2]'],
  ['columns of unequal length', (n) => n.touched!.toMs.pop(), 'message-mismatch touched.to_ms'],
  ['a span that ends before it starts', (n) => (n.touched!.toMs[1] = 0), 'message-mismatch touched.to_ms[1]'],
  ['a span of NaN', (n) => (n.touched!.fromMs[1] = Number.NaN), 'message-value touched.from_ms[1]'],
])('a notice with %s is refused', (_, tell, error) => {
  const message = fromBinary(StoredNoticeSchema, golden('stored-notice'));
  tell(message);
  const payload = toBinary(StoredNoticeSchema, message);
  expect(() => decodeStoredNotice(payload)).toThrow(refusal(error));
});

test.each<Lie<WindowsComplete>>([
  ['no tenant', (c) => (c.tenant = ''), 'message-value tenant'],
  ['a series that is not there', (c) => (c.index[2] = 2), 'message-value index[2]'],
  ['a day of NaN', (c) => (c.startMs[1] = Number.NaN), 'message-value start_ms[1]'],
  ['a day that ends before it starts', (c) => (c.endMs[1] = 0), 'message-mismatch end_ms[1]'],
  ['half a ticket', (c) => (c.ticket[0] = 0.5), 'message-value ticket[0]'],
  ['a reason that is not there', (c) => (c.reason = Uint8Array.of(0, 1, 2)), 'message-value reason[2]'],
  ['columns of unequal length', (c) => c.expected.pop(), 'message-mismatch columns.expected'],
])('complete windows with %s are refused', (_, tell, error) => {
  const message = fromBinary(WindowsCompleteSchema, golden('windows-complete'));
  tell(message);
  const payload = toBinary(WindowsCompleteSchema, message);
  expect(() => decodeWindowsComplete(payload)).toThrow(refusal(error));
});

test.each<Lie<AggregateBatch>>([
  ['no level', (b) => (b.level = 0), 'message-value level'],
  ['ten decimals', (b) => (b.decimals = 10), 'message-value decimals'],
  ['a series that is not there', (b) => (b.sheets!.series[0] = 1), 'message-value sheets.series[0]'],
  ['a unit that is not there', (b) => (b.sheets!.unit[1] = 2), 'message-value sheets.unit[1]'],
  ['a window of nothing', (b) => (b.sheets!.endMs[1] = b.sheets!.startMs[1]!), 'message-mismatch sheets.end_ms[1]'],
  ['more rows than there are', (b) => (b.sheets!.rows[1] = 1), 'message-mismatch sheets.rows[1]'],
  ['4 billion rows', (b) => (b.sheets!.rows[0] = 4_294_967_295), 'message-mismatch sheets.rows[0]'],
  ['rows of no sheet', (b) => (b.sheets!.rows[0] = 0), 'message-mismatch sheets.rows'],
  ['a sheet without its window', (b) => (b.rows!.hour = Uint8Array.of(0, 1, 2)), 'message-value rows.hour[2]'],
  ['hours that fall', (b) => (b.rows!.hour = Uint8Array.of(2, 1, 255)), 'message-value rows.hour[1]'],
  ['hours of a month', (b) => (b.level = 2), 'message-value rows.hour[0]'],
  ['a quality that is not there', (b) => (b.rows!.quality = Uint8Array.of(0, 0, 9)), 'message-value rows.quality[2]'],
  ['a sum of two signs', (b) => (b.rows!.sumLowNarrow[1] = -1), 'message-mismatch rows.sum_low[1]'],
  ['half a sum', (b) => (b.rows!.sumHigh[0] = 0.5), 'message-value rows.sum_high[0]'],
  ['a high part of minus zero', (b) => (b.rows!.sumHigh[0] = -0), 'message-value rows.sum_high[0]'],
  ['a high part too few', (b) => b.rows!.sumHigh.pop(), 'message-mismatch rows.sum_high'],
  ['a high part too many', (b) => b.rows!.sumHigh.push(1), 'message-mismatch rows.sum_high'],
  ['no low parts', (b) => (b.rows!.sumLowNarrow = []), 'message-mismatch rows.sum_low'],
  ['a least too few', (b) => b.rows!.minNarrow.pop(), 'message-mismatch rows.min'],
  ['no greatest', (b) => (b.rows!.maxNarrow = []), 'message-mismatch rows.max'],
  ['low parts in both widths', (b) => (b.rows!.sumLowWide = [1, 2, 3]), 'message-mismatch rows.sum_low_wide'],
  ['leasts in both widths', (b) => (b.rows!.minWide = [1]), 'message-mismatch rows.min_wide'],
  ['greatests in both widths', (b) => (b.rows!.maxWide = [1, 2, 3]), 'message-mismatch rows.max_wide'],
  ['a least above the greatest', (b) => (b.rows!.minNarrow[2] = 2_001), 'message-mismatch rows.max[2]'],
  ['rows of unequal columns', (b) => b.rows!.count.pop(), 'message-mismatch rows.count'],
])('an aggregate batch with %s is refused', (_, tell, error) => {
  const message = fromBinary(AggregateBatchSchema, golden('aggregate-batch'));
  tell(message);
  const payload = toBinary(AggregateBatchSchema, message);
  expect(() => decodeAggregateBatch(payload)).toThrow(refusal(error));
});

test.each<Lie<AggregateBatch>>([
  ['a low part of 10^15', (b) => (b.rows!.sumLowWide[1] = 1e15), 'message-value rows.sum_low_wide[1]'],
  ['a low part of -10^15', (b) => (b.rows!.sumLowWide[1] = -1e15), 'message-value rows.sum_low_wide[1]'],
  ['half a least', (b) => (b.rows!.minWide[0] = 0.5), 'message-value rows.min_wide[0]'],
  ['a least of NaN', (b) => (b.rows!.minWide[0] = Number.NaN), 'message-value rows.min_wide[0]'],
  ['a least of minus zero', (b) => (b.rows!.minWide[1] = -0), 'message-value rows.min_wide[1]'],
  ['an infinite greatest', (b) => (b.rows!.maxWide[1] = Infinity), 'message-value rows.max_wide[1]'],
  ['a greatest too few', (b) => b.rows!.maxWide.pop(), 'message-mismatch rows.max'],
])('a batch of wide aggregates with %s is refused', (_, tell, error) => {
  const message = fromBinary(AggregateBatchSchema, golden('wide-aggregates'));
  tell(message);
  const payload = toBinary(AggregateBatchSchema, message);
  expect(() => decodeAggregateBatch(payload)).toThrow(refusal(error));
});

test.each<Lie<AggregateBatch>>([
  ['a revision too few', (b) => b.sheets!.declared.pop(), 'message-mismatch sheets.declared'],
  ['half a revision', (b) => (b.sheets!.declared[0] = 0.5), 'message-value sheets.declared[0]'],
  ['an acceptance before 1970', (b) => (b.sheets!.acceptedAtMs[0] = -1), 'message-value sheets.accepted_at_ms[0]'],
  ['a peak too few', (b) => (b.rows!.peakNarrow = Uint8Array.of(1, 2)), 'message-mismatch rows.peak'],
  ['peaks in no steps', (b) => (b.rows!.peakStepMs = 0n), 'message-value rows.peak_step_ms'],
  ['peaks in both widths', (b) => (b.rows!.peakWide = [1, 2, 3]), 'message-mismatch rows.peak_wide'],
  [
    'half a step',
    (b) => Object.assign(b.rows!, { peakNarrow: new Uint8Array(0), peakWide: [1, 1.5, 3], peakStepMs: 1n }),
    'message-value rows.peak[1]',
  ],
  ['odd rows that fall', (b) => (b.rows!.oddRows!.row = [2, 1]), 'message-value rows.odd_rows.row[1]'],
  ['an odd row of none', (b) => (b.rows!.oddRows!.row[1] = 3), 'message-value rows.odd_rows.row[1]'],
  ['a count too few', (b) => b.rows!.oddRows!.notBillable.pop(), 'message-mismatch rows.odd_rows.not_billable'],
])('a batch of told aggregates with %s is refused', (_, tell, error) => {
  const message = fromBinary(AggregateBatchSchema, golden('told-aggregates'));
  tell(message);
  const payload = toBinary(AggregateBatchSchema, message);
  expect(() => decodeAggregateBatch(payload)).toThrow(refusal(error));
});

test.each<[string, number[]]>([
  ['a byte that begins nothing', [0xff, 0x61]],
  ['a character cut off', [0xe2, 0x82]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a character written too long', [0xc0, 0xaf]],
])('%s is not UTF-8, in a name or in a text', (_, bytes) => {
  const replaced = (payload: Uint8Array, text: string): Uint8Array => {
    const changed = Buffer.from(payload);
    changed.set(bytes, changed.indexOf(text));
    return changed;
  };
  const payload = golden('many-meters');
  expect(() => decodeReadingBatch(replaced(payload, 'TR-0002'))).toThrow(refusal('message-utf8 series[1].meter'));
  expect(() => decodeReadingBatch(replaced(payload, 'keine'))).toThrow(refusal('message-utf8 columns.texts'));
  expect(() => decodeReadingBatch(replaced(payload, 'stadtwerk'))).toThrow(refusal('message-utf8 tenant'));
});

describe('an encoder refuses what a decoder would', () => {
  const batch = decodeReadingBatch(golden('many-meters'));
  const aggregates = decodeAggregateBatch(golden('aggregate-batch'));

  test('a run column that does not cover all readings', () => {
    const columns = { ...batch.columns, unit: { ends: Uint32Array.of(3), values: Uint32Array.of(1) } };
    expect(() => encodeReadingBatch({ ...batch, columns })).toThrow(IntegrityError);
  });

  test.each([Number.NaN, Infinity, 0.5, 2 ** 53])('the value %d', (value) => {
    const columns = { ...batch.columns, values: Float64Array.of(1, 0, value, 2) };
    expect(() => encodeReadingBatch({ ...batch, columns })).toThrow(IntegrityError);
  });

  test('more causes than a message may hold', () => {
    const cause = { sourceId: 'a.1', key: '0'.repeat(32), part: 0, parts: 1 };
    const causes = Array(messageLimits.causesMax + 1).fill(cause) as (typeof cause)[];
    expect(() => encodeAggregateBatch({ ...aggregates, causes })).toThrow(IntegrityError);
  });

  test('more readings than a message may hold', () => {
    const builder = new BatchBuilder(messageLimits.readingsMax + 1);
    const row = new ReadingRow();
    row.series = builder.series('meter', 'import');
    row.version = builder.version(rawVersion(1, 0));
    row.lengthMs = 1;
    for (; builder.count <= messageLimits.readingsMax; row.startMs += 1) {
      builder.append(row);
    }
    const { tenant, layer, sourceId, acceptedAtMs, activation } = batch;
    const large = builder.finish({ tenant, layer, sourceId, acceptedAtMs, activation });
    expect(() => encodeReadingBatch(large)).toThrow(expect.objectContaining({ code: 'message-limit' }));
    expect(decodeReadingBatch(encodeReadingBatch(sliceBatch(large, 1, messageLimits.readingsMax + 1)))).toBeDefined();
  });

  test('a key that is not 32 hexadecimal characters', () => {
    const cause = { sourceId: 'a.1', key: 'F0E0', part: 0, parts: 1 };
    expect(() => encodeReadingBatch({ ...batch, cause })).toThrow(IntegrityError);
  });

  test('rows that belong to no sheet', () => {
    const sheets = { ...aggregates.sheets, rows: Uint32Array.of(2, 0) };
    expect(() => encodeAggregateBatch({ ...aggregates, sheets })).toThrow(IntegrityError);
  });

  test.each(['sumHigh', 'sumLow', 'min', 'max'] as const)('a %s that is no integer', (name) => {
    for (const value of [Number.NaN, 0.5, Infinity]) {
      const rows = { ...aggregates.rows, [name]: aggregates.rows[name].with(2, value) };
      expect(() => encodeAggregateBatch({ ...aggregates, rows })).toThrow(IntegrityError);
    }
  });

  test('and is as good as new afterwards', () => {
    expect(encodeAggregateBatch(aggregates)).toEqual(new Uint8Array(golden('aggregate-batch')));
    expect(encodeReadingBatch(batch)).toEqual(new Uint8Array(golden('many-meters')));
  });
});

describe('values that mean nothing', () => {
  const batch = decodeReadingBatch(golden('many-meters'));

  test('of missing readings are 0 in the bytes and after decoding', () => {
    for (const value of [17, Number.NaN, 2 ** 60]) {
      const columns = { ...batch.columns, values: batch.columns.values.with(1, value) };
      expect(encodeReadingBatch({ ...batch, columns })).toEqual(new Uint8Array(golden('many-meters')));
    }
    const message = fromBinary(ReadingBatchSchema, golden('many-meters'));
    message.columns!.valuesNarrow[1] = 17;
    expect(decodeReadingBatch(toBinary(ReadingBatchSchema, create(ReadingBatchSchema, message)))).toEqual(batch);
  });

  test('minus zero is zero in the bytes', () => {
    const encoded = (values: Float64Array): Uint8Array =>
      encodeReadingBatch({ ...batch, columns: { ...batch.columns, values } });
    expect(encoded(Float64Array.of(-0, 0, 1, 2))).toEqual(encoded(Float64Array.of(0, 0, 1, 2)));
    expect(encoded(Float64Array.of(-0, 0, 1, 2 ** 40))).toEqual(encoded(Float64Array.of(0, 0, 1, 2 ** 40)));
  });
});

describe('the columns of aggregates', () => {
  const batch = decodeAggregateBatch(golden('aggregate-batch'));
  const withRows = (rows: Partial<typeof batch.rows>): typeof batch => ({ ...batch, rows: { ...batch.rows, ...rows } });
  const int32Max = 2 ** 31 - 1;
  const wireRows = (message: typeof batch): NonNullable<AggregateBatch['rows']> =>
    fromBinary(AggregateBatchSchema, encodeAggregateBatch(message)).rows!;

  test('are narrow up to the bounds of 32 bits and wide beyond, each by itself', () => {
    const narrow = withRows({ min: Float64Array.of(-int32Max - 1, 0, 0), max: Float64Array.of(0, 0, int32Max) });
    expect(wireRows(narrow)).toMatchObject({ minWide: [], maxWide: [] });
    expect(decodeAggregateBatch(encodeAggregateBatch(narrow))).toEqual(narrow);
    const wide = withRows({ min: Float64Array.of(-int32Max - 2, 0, 0), max: Float64Array.of(0, 0, int32Max) });
    expect(wireRows(wide)).toMatchObject({ minNarrow: [], minWide: [-int32Max - 2, 0, 0], maxWide: [] });
    expect(decodeAggregateBatch(encodeAggregateBatch(wide))).toEqual(wide);
    const high = withRows({ max: Float64Array.of(0, 2_000, int32Max + 1) });
    expect(wireRows(high)).toMatchObject({ minWide: [], maxNarrow: [], maxWide: [0, 2_000, int32Max + 1] });
  });

  test('have no high part where all sums are below 10^15, and read as zeros then', () => {
    const low = withRows({ sumHigh: new Float64Array(3) });
    expect(wireRows(low).sumHigh).toEqual([]);
    expect(decodeAggregateBatch(encodeAggregateBatch(low))).toEqual(low);
  });

  test('hold zero for minus zero in the bytes', () => {
    for (const last of [0, 3, 2 ** 40]) {
      const values = (first: number): Float64Array => Float64Array.of(first, last, last);
      const rows = (zero: number): Uint8Array => {
        const column = values(zero);
        return encodeAggregateBatch(withRows({ sumHigh: column, sumLow: column, min: column, max: column }));
      };
      expect(rows(-0)).toEqual(rows(0));
    }
  });
});
