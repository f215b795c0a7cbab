import type { LeasedMessage } from '@meterflow/stage';
import type { Feed, ReceivedMessage } from './feed.ts';

/** Pub/Sub takes no message without both payload and attributes: this one stands for that, and is taken off again. */
export const emptyMarker: Readonly<Record<string, string>> = { 'meterflow-empty': '1' };

/** A message and its lease. */
export interface Leased extends LeasedMessage {
  readonly feed: Feed;
  readonly ackId: string;
  /** The newest epoch that was known when it came. */
  readonly epoch: number;
  readonly receivedAtMs: number;
  leasedUntilMs: number;
}

export interface LeaseTerms {
  readonly feed: Feed;
  readonly epoch: number;
  readonly nowMs: number;
  readonly ackDeadlineMs: number;
}

export function leased({ ackId, message, deliveryAttempt }: ReceivedMessage, terms: LeaseTerms): Leased {
  const { feed, epoch, nowMs, ackDeadlineMs } = terms;
  const attributes = message?.attributes ?? {};
  return {
    id: `${feed.name}/${message?.messageId ?? ''}`,
    payload: payloadOf(message),
    attributes: isEmptyMarker(attributes) ? {} : attributes,
    publishedAtMs: publishedAtMs(message),
    deliveryAttempt: deliveryAttempt ?? 0,
    feed,
    ackId: ackId ?? '',
    epoch,
    receivedAtMs: nowMs,
    leasedUntilMs: nowMs + ackDeadlineMs,
  };
}

function payloadOf(message: ReceivedMessage['message']): Uint8Array {
  const payload = message?.data ?? '';
  return typeof payload === 'string' ? Buffer.from(payload, 'base64') : payload;
}

function publishedAtMs(message: ReceivedMessage['message']): number {
  const { seconds, nanos } = message?.publishTime ?? {};
  return Number(seconds ?? 0) * 1_000 + (nanos ?? 0) / 1_000_000;
}

function isEmptyMarker(attributes: Readonly<Record<string, string>>): boolean {
  return Object.keys(emptyMarker).some((key) => key in attributes);
}
