export type { Clock } from './clock.ts';
export {
  retryTopicOf,
  type DeadLetterIds,
  type DeadLetterLine,
  type DeadLetterQuery,
  type DeadLetterStore,
  type RetryOptions,
} from './dead-letter-store.ts';
export type { DeadLetter, DeadLetterSink, DeadLetterState } from './dead-letters.ts';
export type { Downstream } from './downstream.ts';
export type { Epochs } from './epochs.ts';
export {
  FatalError,
  HaltedError,
  IntegrityError,
  OvertakenWorkError,
  PermanentError,
  TransientError,
} from './errors.ts';
export { grpcError, grpcStatus, grpcStatusOf, type GrpcFailure, type GrpcStatus } from './grpc-status.ts';
export type { ErasableLetters, ErasedLetters, LetterErasure } from './letter-erasure.ts';
export { bulkStageLimits, stageLimits, type StageLimits } from './limits.ts';
export { traceAttribute } from './group-trace.ts';
export type { LeasedMessage, OutgoingMessage } from './message.ts';
export type { Publisher } from './publisher.ts';
export type { Replay, ReplayRequest } from './replay.ts';
export { runStage, type StageOptions } from './run-stage.ts';
export type { ReceiveRequest, Source } from './source.ts';
export type { StagePorts } from './stage-ports.ts';
export { StageProgress } from './stage-progress.ts';
export type { Handled, Origin, RefusedPart, Sink, Stage } from './stage.ts';
export { systemClock } from './system-clock.ts';
export {
  silentTelemetry,
  untracedSpan,
  type Labels,
  type LogFields,
  type Logger,
  type Span,
  type SpanAttributes,
  type SpanStart,
  type Telemetry,
} from './telemetry.ts';
