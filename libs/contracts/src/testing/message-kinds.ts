import type { DescMessage } from '@bufbuild/protobuf';
import type * as fc from 'fast-check';
import { decodeAggregateBatch, encodeAggregateBatch } from '../aggregate-batch.ts';
import { decodeAggregatesStored, encodeAggregatesStored } from '../aggregates-stored.ts';
import {
  AggregateBatchColumnsSchema,
  AggregateBatchSchema,
  AggregatesStoredColumnsSchema,
  AggregatesStoredSchema,
  ReadingBatchColumnsSchema,
  ReadingBatchSchema,
  StoredNoticeColumnsSchema,
  StoredNoticeSchema,
  WindowsCompleteColumnsSchema,
  WindowsCompleteSchema,
} from '../protobuf.ts';
import { decodeReadingBatch, encodeReadingBatch } from '../reading-batch.ts';
import { decodeStoredNotice, encodeStoredNotice } from '../stored-notice.ts';
import { decodeWindowsComplete, encodeWindowsComplete } from '../windows-complete.ts';
import {
  arbitraryAggregateBatch,
  arbitraryAggregatesStored,
  arbitraryReadingBatch,
  arbitraryStoredNotice,
  arbitraryWindowsComplete,
} from './arbitrary-messages.ts';

/** One kind of message with all that a law over messages needs. */
export interface MessageKind {
  readonly name: string;
  readonly arbitrary: fc.Arbitrary<unknown>;
  readonly encode: (message: unknown) => Uint8Array<ArrayBuffer>;
  readonly decode: (payload: Uint8Array) => object;
  readonly schema: DescMessage;
  readonly columnsSchema: DescMessage;
}

interface TypedKind<Message> extends Omit<MessageKind, 'encode' | 'arbitrary'> {
  readonly arbitrary: fc.Arbitrary<Message>;
  readonly encode: (message: Message) => Uint8Array<ArrayBuffer>;
}

// The arbitrary and the encoder of a kind agree on its type; outside they are only ever used together.
const kind = <Message>(typed: TypedKind<Message>): MessageKind => typed as MessageKind;

export const messageKinds: readonly MessageKind[] = [
  kind({
    name: 'ReadingBatch',
    arbitrary: arbitraryReadingBatch,
    encode: encodeReadingBatch,
    decode: decodeReadingBatch,
    schema: ReadingBatchSchema,
    columnsSchema: ReadingBatchColumnsSchema,
  }),
  kind({
    name: 'StoredNotice',
    arbitrary: arbitraryStoredNotice,
    encode: encodeStoredNotice,
    decode: decodeStoredNotice,
    schema: StoredNoticeSchema,
    columnsSchema: StoredNoticeColumnsSchema,
  }),
  kind({
    name: 'AggregateBatch',
    arbitrary: arbitraryAggregateBatch,
    encode: encodeAggregateBatch,
    decode: decodeAggregateBatch,
    schema: AggregateBatchSchema,
    columnsSchema: AggregateBatchColumnsSchema,
  }),
  kind({
    name: 'AggregatesStored',
    arbitrary: arbitraryAggregatesStored,
    encode: encodeAggregatesStored,
    decode: decodeAggregatesStored,
    schema: AggregatesStoredSchema,
    columnsSchema: AggregatesStoredColumnsSchema,
  }),
  kind({
    name: 'WindowsComplete',
    arbitrary: arbitraryWindowsComplete,
    encode: encodeWindowsComplete,
    decode: decodeWindowsComplete,
    schema: WindowsCompleteSchema,
    columnsSchema: WindowsCompleteColumnsSchema,
  }),
];
