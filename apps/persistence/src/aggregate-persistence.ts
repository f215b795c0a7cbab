import type { AggregateBatch, AggregatesStored } from '@meterflow/aggregates';
import {
  decodeAggregateBatch,
  encodeAggregatesStored,
  messageAttributes,
  payloadKey,
  topicName,
  type Lane,
} from '@meterflow/contracts';
import type { AggregateWrite } from '@meterflow/idempotent-writes';
import type { Touched } from '@meterflow/readings';
import type { OutgoingMessage, Stage } from '@meterflow/stage';

/** Stores aggregates, then tells their parents on `aggregates.stored`. */
export function aggregatePersistence({
  lane,
}: {
  readonly lane: Lane;
}): Stage<AggregateWrite, undefined, AggregateWrite> {
  const topic = topicName('aggregates.stored', lane);
  return {
    name: 'persistence-aggregates',
    decode: ({ payload }) => ({ key: payloadKey(payload), batch: decodeAggregateBatch(payload) }),
    key: ({ key, batch }) => `${batch.tenant}/${key}`,
    origin: ({ batch }) => ({ tenant: batch.tenant, causes: batch.causes, layers: layersDue[batch.level] }),
    read: () => Promise.resolve(undefined),
    handle: (writes) =>
      Promise.resolve({
        writes,
        messages: writes.map((write) => storedMessage(write, topic)),
        messagesOf: writes.map((_, index) => [index]),
      }),
  };
}

/** What no longer comes when a batch of this level becomes a dead letter here. */
const layersDue = { day: ['hour', 'day', 'month'], month: ['month'] } as const;

function storedMessage({ key, batch }: AggregateWrite, topic: string): OutgoingMessage {
  const { tenant, level, causes } = batch;
  const stored: AggregatesStored = { tenant, level, key, causes, touched: touchedBySheets(batch) };
  return { topic, payload: encodeAggregatesStored(stored), attributes: messageAttributes('AggregatesStored', tenant) };
}

/** Neighbouring sheets of a series are told as one span. */
function touchedBySheets({ series, sheets }: AggregateBatch): Touched {
  const sheetCount = sheets.series.length;
  const index = new Uint32Array(sheetCount);
  const fromMs = new Float64Array(sheetCount);
  const toMs = new Float64Array(sheetCount);
  let length = 0;
  for (let sheet = 0; sheet < sheetCount; sheet++) {
    const last = length - 1;
    if (last >= 0 && index[last] === sheets.series[sheet] && toMs[last] === sheets.startMs[sheet]) {
      toMs[last] = sheets.endMs[sheet] as number;
      continue;
    }
    index[length] = sheets.series[sheet] as number;
    fromMs[length] = sheets.startMs[sheet] as number;
    toMs[length++] = sheets.endMs[sheet] as number;
  }
  return {
    series,
    index: index.slice(0, length),
    fromMs: fromMs.slice(0, length),
    toMs: toMs.slice(0, length),
  };
}
