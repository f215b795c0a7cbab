// Both published views of the messages, for tools and for whoever wants plain protobuf objects. The stages use the
// codec of the index file, which is faster and checks what it reads.
export {
  AggregateBatchSchema,
  AggregatesStoredSchema,
  WindowsCompleteSchema,
  type AggregateBatch,
  type AggregatesStored,
  type WindowsComplete,
} from './gen/meterflow/v1/aggregates_pb.ts';
export {
  ReadingBatchSchema,
  StoredNoticeSchema,
  type ReadingBatch,
  type StoredNotice,
} from './gen/meterflow/v1/readings_pb.ts';
export {
  AggregateBatchSchema as AggregateBatchColumnsSchema,
  AggregatesStoredSchema as AggregatesStoredColumnsSchema,
  WindowsCompleteSchema as WindowsCompleteColumnsSchema,
  type AggregateBatch as AggregateBatchColumns,
  type AggregatesStored as AggregatesStoredColumns,
  type WindowsComplete as WindowsCompleteColumns,
} from './gen/meterflow/v1/columns/aggregates_pb.ts';
export {
  ReadingBatchSchema as ReadingBatchColumnsSchema,
  StoredNoticeSchema as StoredNoticeColumnsSchema,
  type ReadingBatch as ReadingBatchColumns,
  type StoredNotice as StoredNoticeColumns,
} from './gen/meterflow/v1/columns/readings_pb.ts';
