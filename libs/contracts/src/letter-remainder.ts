import { withoutSeries, type SeriesName } from '@meterflow/readings';
import type { DeadLetter, LetterErasure } from '@meterflow/stage';
import { decodeAggregateBatch } from './aggregate-batch.ts';
import { decodeAggregatesStored } from './aggregates-stored.ts';
import { payloadKey } from './payload-key.ts';
import { decodeReadingBatch, encodeReadingBatch } from './reading-batch.ts';
import { decodeStoredNotice } from './stored-notice.ts';

/**
 * Notices don't say when the readings were accepted that they are about, and what can't be decoded says nothing: of what
 * is there they go with the rest (`drop`), of what is put later they stay (`keep`), as it may be about later readings.
 */
export interface LetterRule extends LetterErasure {
  readonly unsure: 'drop' | 'keep';
}

type ErasableLetter = Pick<DeadLetter, 'attributes' | 'payload'>;

/** What an erasure leaves of a letter of its tenant: the same bytes where it says nothing of it, fewer, or none. */
export function letterRemainder({ attributes, payload }: ErasableLetter, rule: LetterRule): Uint8Array | undefined {
  const unsure = rule.unsure === 'drop' ? undefined : payload;
  try {
    return decodedRemainder(messageType(attributes), payload, { rule, unsure });
  } catch {
    return unsure;
  }
}

function decodedRemainder(
  type: string,
  payload: Uint8Array,
  { rule, unsure }: { readonly rule: LetterRule; readonly unsure: Uint8Array | undefined },
): Uint8Array | undefined {
  switch (type) {
    case 'ReadingBatch':
      return readingRemainder(payload, rule);
    case 'AggregateBatch': {
      const { ticket, series } = decodeAggregateBatch(payload);
      return ticket > rule.ticket || !names(series, rule) ? payload : undefined;
    }
    case 'StoredNotice':
      return names(decodeStoredNotice(payload).touched.series, rule) ? unsure : payload;
    case 'AggregatesStored':
      return names(decodeAggregatesStored(payload).touched.series, rule) ? unsure : payload;
    default:
      return unsure;
  }
}

function readingRemainder(payload: Uint8Array, rule: LetterRule): Uint8Array | undefined {
  const batch = decodeReadingBatch(payload);
  if (batch.acceptedAtMs > rule.upToMs || !names(batch.series, rule)) {
    return payload;
  }
  const left = rule.series === undefined ? undefined : withoutSeries(batch, (name) => isMeant(name, rule));
  if (left === undefined) {
    return undefined;
  }
  // The ledger goes on knowing it by the batch that was accepted.
  const cause = batch.cause ?? { sourceId: batch.sourceId, key: payloadKey(payload), part: 0, parts: 1 };
  return encodeReadingBatch({ ...left, cause });
}

function names(series: readonly SeriesName[], erasure: LetterErasure): boolean {
  return erasure.series === undefined || series.some((name) => isMeant(name, erasure));
}

function isMeant({ meter, channel }: SeriesName, { series }: LetterErasure): boolean {
  return (
    series === undefined || (series.meter === meter && (series.channel === undefined || series.channel === channel))
  );
}

function messageType(attributes: Readonly<Record<string, string>>): string {
  return /messageType="meterflow\.v1\.(\w+)"/.exec(attributes['content-type'] ?? '')?.[1] ?? '';
}
