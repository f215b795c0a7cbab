import { FatalError, PermanentError, TransientError } from './errors.ts';

/**
 * What each status of gRPC means to a stage, for every service that speaks it. `permanent`: the content is refused, and
 * would be each time. `fatal`: nothing of ours goes through until somebody mends the set-up or the rights; a process that
 * ends over it is seen, and loses nothing. `transient`: the same call may succeed later.
 */
const statuses = [
  ['ok', 'transient'],
  ['cancelled', 'transient'],
  ['unknown', 'transient'],
  ['invalid-argument', 'permanent'],
  ['deadline-exceeded', 'transient'],
  ['not-found', 'fatal'],
  ['already-exists', 'transient'],
  ['permission-denied', 'fatal'],
  ['resource-exhausted', 'transient'],
  ['failed-precondition', 'fatal'],
  ['aborted', 'transient'],
  ['out-of-range', 'permanent'],
  ['unimplemented', 'fatal'],
  ['internal', 'transient'],
  ['unavailable', 'transient'],
  ['data-loss', 'transient'],
  ['unauthenticated', 'fatal'],
] as const;

const classes = new Map(statuses);

export type GrpcStatus = (typeof statuses)[number][0];

/** The status that a call failed with; undefined when what it was rejected with has none. */
export function grpcStatus(error: unknown): GrpcStatus | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? grpcStatusOf(code) : undefined;
}

/** Of a code that an answer carries. */
export function grpcStatusOf(code: number): GrpcStatus {
  return statuses[code]?.[0] ?? 'unknown';
}

export interface GrpcFailure {
  readonly status: GrpcStatus;
  readonly message: string;
  /** The stable code of a refusal: `refused-by-…`. */
  readonly refusedCode: string;
  /** What mends it where it is fatal. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/** The error that tells a stage what to do. */
export function grpcError({ status, message, refusedCode, remedy, cause }: GrpcFailure): Error {
  const options = cause === undefined ? {} : { cause };
  switch (classes.get(status)) {
    case 'permanent':
      return new PermanentError(refusedCode, message, options);
    case 'fatal':
      return new FatalError(`${message}. ${remedy}`, options);
    case 'transient':
    case undefined:
      return new TransientError(message, options);
  }
}
