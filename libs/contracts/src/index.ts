export { decodeAggregateBatch, encodeAggregateBatch } from './aggregate-batch.ts';
export { decodeAggregatesStored, encodeAggregatesStored } from './aggregates-stored.ts';
export { messageFormat, messageFormatMax, type CarriedFields, type Carrier } from './carried-fields.ts';
export { DayNotices, type DayNoticesOf, type DaySpan } from './day-notices.ts';
export { letterRemainder, type LetterRule } from './letter-remainder.ts';
export { MalformedMessageError, type MalformedMessageCode } from './malformed-message-error.ts';
export { messageLimits } from './message-limits.ts';
export { payloadKey } from './payload-key.ts';
export { decodeReadingBatch, encodeReadingBatch } from './reading-batch.ts';
export { decodeStoredNotice, encodeStoredNotice } from './stored-notice.ts';
export {
  lanePattern,
  lanes,
  messageAttributes,
  subscriptionName,
  subscriptionsByTopic,
  topicName,
  topology,
  warehouseSubscriptionsByTopic,
  type Lane,
  type MessageType,
  type Subscription,
  type Topic,
  type TopicDeclaration,
} from './topics.ts';
export { decodeWindowsComplete, encodeWindowsComplete } from './windows-complete.ts';
