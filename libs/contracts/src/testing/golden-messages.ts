import {
  ordinaryRows,
  unknownPeak,
  wholeWindow,
  type AggregateBatch,
  type AggregateRows,
  type AggregatesStored,
  type Sheets,
  type WindowsComplete,
} from '@meterflow/aggregates';
import {
  BatchBuilder,
  qualityCode,
  rawVersion,
  ReadingRow,
  type Cause,
  type ReadingBatch,
  type StoredNotice,
} from '@meterflow/readings';
import { encodeAggregateBatch } from '../aggregate-batch.ts';
import { encodeAggregatesStored } from '../aggregates-stored.ts';
import { encodeReadingBatch } from '../reading-batch.ts';
import { encodeStoredNotice } from '../stored-notice.ts';
import { encodeWindowsComplete } from '../windows-complete.ts';
import { messageKinds, type MessageKind } from './message-kinds.ts';

/** A message whose bytes may never change: they lie in `golden/<name>.bin`, and what they say in `golden/<name>.json`. */
export interface GoldenMessage {
  readonly name: string;
  readonly kind: MessageKind;
  readonly message: object;
  readonly payload: Uint8Array;
}

const noonMs = Date.UTC(2024, 2, 31, 12);
const hourMs = 3_600_000;
const header = { tenant: 'stadtwerk-1', sourceId: 'a-0001.1', acceptedAtMs: noonMs, activation: 7 } as const;
const cause: Cause = { sourceId: 'a-0001.1', key: '000102030405060708090a0b0c0d0e0f', part: 1, parts: 3 };

/** As pushed: several meters, one interval each, one of them without value. */
function manyMeters(): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(0, noonMs));
  row.lengthMs = hourMs / 4;
  row.startMs = noonMs;
  ['MTR-0001', 'MTR-0002', 'Zähler 3', '漢字メーター'].forEach((meter, index) => {
    row.series = builder.series(meter, index === 3 ? 'export' : 'import');
    row.integer = index === 1 ? 0 : 1250 * (index - 1);
    row.decimals = 3;
    row.quality = qualityCode(index === 1 ? 'missing' : 'measured');
    row.reason = builder.text(index === 1 ? 'keine Übertragung' : '');
    row.line = 2 + index * index;
    builder.append(row);
  });
  return builder.finish({ ...header, layer: 'raw' });
}

/** After the rules: one meter, a register and values beyond 32 bits. */
function wideValues(): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.unit = builder.text('Wh');
  row.code = builder.text('E17');
  row.method = builder.text('like-day');
  row.series = builder.series('1EMH0012345678', '1-0:1.8.0');
  for (let index = 0; index < 12; index++) {
    row.version = builder.version({
      ...rawVersion(20_240_331, 0),
      activation: 7,
      ticket: 2 ** 40,
      computed: index < 9,
    });
    row.startMs = noonMs + index * hourMs;
    row.integer = 9_007_199_254_740_991 - index;
    row.quality = qualityCode(index < 6 ? 'calculated' : 'estimated');
    row.line = 1;
    builder.append(row);
  }
  return builder.finish({ ...header, layer: 'validated', cause });
}

function storedNotice(): StoredNotice {
  return {
    tenant: header.tenant,
    layer: 'raw',
    activation: header.activation,
    key: 'f0e0d0c0b0a090807060504030201000',
    causes: [{ ...cause, part: 0, parts: 1 }, cause],
    touched: {
      series: [
        { meter: 'MTR-0001', channel: 'import' },
        { meter: 'MTR-0001', channel: 'export' },
      ],
      index: Uint32Array.of(0, 1, 0),
      fromMs: Float64Array.of(noonMs, noonMs, noonMs + 9 * hourMs),
      toMs: Float64Array.of(noonMs + hourMs, noonMs + hourMs / 4, noonMs + 10 * hourMs),
    },
  };
}

type Inputs = Pick<Sheets, 'declared' | 'acceptedAtMs' | 'activation' | 'ticket'>;

/** As builds wrote it that knew of no facts beside the values. */
const noInputs: Inputs = {
  declared: new Float64Array(2),
  acceptedAtMs: new Float64Array(2),
  activation: new Float64Array(2),
  ticket: new Float64Array(2),
};

function withoutFacts(
  rows: Pick<AggregateRows, 'hour' | 'sumHigh' | 'sumLow' | 'min' | 'max' | 'count' | 'quality'>,
): AggregateRows {
  return { ...rows, peakOffsetMs: new Float64Array(rows.hour.length).fill(unknownPeak), ...ordinaryRows(rows.count) };
}

function aggregateBatch(): AggregateBatch {
  return {
    tenant: header.tenant,
    level: 'day',
    ticket: 4711,
    series: [{ meter: 'MTR-0001', channel: 'import' }],
    texts: ['', 'kWh'],
    decimals: 3,
    sheets: {
      series: Uint32Array.of(0, 0),
      startMs: Float64Array.of(noonMs - 13 * hourMs, noonMs + 10 * hourMs),
      endMs: Float64Array.of(noonMs + 10 * hourMs, noonMs + 34 * hourMs),
      unit: Uint32Array.of(1, 1),
      rows: Uint32Array.of(3, 0),
      ...noInputs,
    },
    rows: withoutFacts({
      hour: Uint8Array.of(0, 22, wholeWindow),
      sumHigh: Float64Array.of(0, 2, 2),
      sumLow: Float64Array.of(-500, 1_000, 500),
      min: Float64Array.of(-500, 1_000, -500),
      max: Float64Array.of(0, 2_000, 2_000),
      count: Uint32Array.of(4, 3, 7),
      quality: Uint8Array.of(qualityCode('measured'), qualityCode('missing'), qualityCode('missing')),
    }),
    causes: [cause],
  };
}

/** Sums without a high part, and integers beyond 32 bits. */
function wideAggregates(): AggregateBatch {
  return {
    ...aggregateBatch(),
    level: 'month',
    sheets: {
      series: Uint32Array.of(0, 0),
      startMs: Float64Array.of(noonMs - 12 * hourMs, noonMs + 12 * hourMs),
      endMs: Float64Array.of(noonMs + 12 * hourMs, noonMs + 36 * hourMs),
      unit: Uint32Array.of(1, 1),
      rows: Uint32Array.of(1, 1),
      ...noInputs,
    },
    rows: withoutFacts({
      hour: Uint8Array.of(wholeWindow, wholeWindow),
      sumHigh: Float64Array.of(0, 0),
      sumLow: Float64Array.of(999_999_999_999_999, -4_294_967_296),
      min: Float64Array.of(-2_147_483_649, -4_294_967_296),
      max: Float64Array.of(9_007_199_254_740_991, 0),
      count: Uint32Array.of(96, 1),
      quality: Uint8Array.of(qualityCode('measured'), qualityCode('estimated')),
    }),
  };
}

/** What a sheet was computed from, when its peaks were, and what two of its rows lack. */
function toldAggregates(): AggregateBatch {
  const batch = aggregateBatch();
  return {
    ...batch,
    sheets: {
      ...batch.sheets,
      declared: Float64Array.of(20_240_331, 0),
      acceptedAtMs: Float64Array.of(noonMs, 0),
      activation: Float64Array.of(7, 0),
    },
    rows: {
      ...batch.rows,
      peakOffsetMs: Float64Array.of(0, hourMs / 4, 22.25 * hourMs),
      expected: Uint32Array.of(4, 4, 92),
      surplus: Uint32Array.of(0, 2, 3),
      estimated: Uint32Array.of(0, 1, 1),
      substituted: Uint32Array.of(0, 0, 0),
      calculated: Uint32Array.of(0, 1, 1),
      notBillable: Uint32Array.of(0, 1, 1),
      odd: Uint32Array.of(1, 2),
    },
  };
}

function aggregatesStored(): AggregatesStored {
  const { tenant, key, causes, touched } = storedNotice();
  return { tenant, level: 'month', key, causes, touched };
}

/** A day of 23 hours that is whole, one that was closed without its last hour, and one of which nothing came. */
function windowsComplete(): WindowsComplete {
  return {
    tenant: header.tenant,
    series: [
      { meter: 'MTR-0001', channel: 'import' },
      { meter: 'MTR-0001', channel: 'export' },
    ],
    index: Uint32Array.of(0, 0, 1),
    startMs: Float64Array.of(noonMs - 13 * hourMs, noonMs + 10 * hourMs, noonMs - 13 * hourMs),
    endMs: Float64Array.of(noonMs + 10 * hourMs, noonMs + 34 * hourMs, noonMs + 10 * hourMs),
    ticket: Float64Array.of(4711, 2 ** 40, 0),
    reason: Uint8Array.of(0, 1, 1),
    count: Uint32Array.of(92, 92, 0),
    expected: Uint32Array.of(92, 96, 92),
  };
}

function kindOf(name: string): MessageKind {
  return messageKinds.find((kind) => kind.name === name)!;
}

export function goldenMessages(): readonly GoldenMessage[] {
  const many = manyMeters();
  const wide = wideValues();
  return [
    { name: 'many-meters', kind: kindOf('ReadingBatch'), message: many, payload: encodeReadingBatch(many) },
    { name: 'wide-values', kind: kindOf('ReadingBatch'), message: wide, payload: encodeReadingBatch(wide) },
    {
      name: 'stored-notice',
      kind: kindOf('StoredNotice'),
      message: storedNotice(),
      payload: encodeStoredNotice(storedNotice()),
    },
    {
      name: 'aggregate-batch',
      kind: kindOf('AggregateBatch'),
      message: aggregateBatch(),
      payload: encodeAggregateBatch(aggregateBatch()),
    },
    {
      name: 'wide-aggregates',
      kind: kindOf('AggregateBatch'),
      message: wideAggregates(),
      payload: encodeAggregateBatch(wideAggregates()),
    },
    {
      name: 'told-aggregates',
      kind: kindOf('AggregateBatch'),
      message: toldAggregates(),
      payload: encodeAggregateBatch(toldAggregates()),
    },
    {
      name: 'aggregates-stored',
      kind: kindOf('AggregatesStored'),
      message: aggregatesStored(),
      payload: encodeAggregatesStored(aggregatesStored()),
    },
    {
      name: 'windows-complete',
      kind: kindOf('WindowsComplete'),
      message: windowsComplete(),
      payload: encodeWindowsComplete(windowsComplete()),
    },
  ];
}
