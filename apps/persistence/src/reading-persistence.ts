import {
  decodeReadingBatch,
  encodeStoredNotice,
  messageAttributes,
  payloadKey,
  topicName,
  type Lane,
} from '@meterflow/contracts';
import type { ReadingWrite } from '@meterflow/idempotent-writes';
import { touchedBy, type Cause, type Layer, type StoredNotice } from '@meterflow/readings';
import { PermanentError, type OutgoingMessage, type Stage } from '@meterflow/stage';

/**
 * Stores the batches of one layer, then tells of each on `readings.stored.<layer>`: of every batch handled, whatever
 * its outcome, so that a process that dies between write and publish loses no notice.
 */
export function readingPersistence({
  layer,
  lane,
}: {
  readonly layer: Layer;
  readonly lane: Lane;
}): Stage<ReadingWrite, undefined, ReadingWrite> {
  const topic = topicName(`readings.stored.${layer}`, lane);
  return {
    name: `persistence-${layer}`,
    decode: ({ payload }) => {
      const batch = decodeReadingBatch(payload);
      if (batch.layer !== layer) {
        throw new PermanentError('wrong-layer', `a ${batch.layer} batch came to the persistence of ${layer} readings`);
      }
      return { key: payloadKey(payload), batch };
    },
    key: ({ key, batch }) => `${batch.tenant}/${key}`,
    origin: (write) => ({ tenant: write.batch.tenant, causes: [causeOf(write)], layers: layersDue[layer] }),
    read: () => Promise.resolve(undefined),
    handle: (writes) =>
      Promise.resolve({
        writes,
        messages: writes.map((write) => storedMessage(write, topic)),
        messagesOf: writes.map((_, index) => [index]),
      }),
  };
}

/** What no longer comes when a batch of this layer becomes a dead letter here. */
const layersDue = { raw: ['raw'], validated: ['validated', 'hour', 'day', 'month'] } as const;

/** An accepted batch is its own origin. */
function causeOf({ key, batch }: ReadingWrite): Cause {
  return batch.cause ?? { sourceId: batch.sourceId, key, part: 0, parts: 1 };
}

function storedMessage(write: ReadingWrite, topic: string): OutgoingMessage {
  const { tenant, layer, activation } = write.batch;
  const notice: StoredNotice = {
    tenant,
    layer,
    activation,
    key: write.key,
    causes: [causeOf(write)],
    touched: touchedBy(write.batch),
  };
  return { topic, payload: encodeStoredNotice(notice), attributes: messageAttributes('StoredNotice', tenant) };
}
