import { FatalError, PermanentError, TransientError } from '@meterflow/stage';

/** Codes of gRPC. */
const names: Readonly<Record<number, string>> = {
  1: 'CANCELLED',
  2: 'UNKNOWN',
  3: 'INVALID_ARGUMENT',
  4: 'DEADLINE_EXCEEDED',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED',
  9: 'FAILED_PRECONDITION',
  10: 'ABORTED',
  11: 'OUT_OF_RANGE',
  12: 'UNIMPLEMENTED',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  15: 'DATA_LOSS',
  16: 'UNAUTHENTICATED',
};

export const alreadyExists = 6;

/** The content is refused, and would be each time. */
const permanent: readonly number[] = [3, 11];
/** Nothing of ours goes through until somebody mends the configuration. */
const fatal: readonly number[] = [5, 7, 9, 12, 16];

/** The gRPC code of what a call failed with. */
export function statusCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

export interface FailedCall {
  readonly table: string;
  readonly code: number;
  readonly message: string;
  readonly cause?: unknown;
}

/** The error that says what the caller must do. */
export function callError({ table, code, message, cause }: FailedCall): Error {
  const text = `Bigtable, table ${table}: ${names[code] ?? code}, ${message}`;
  const options = cause === undefined ? {} : { cause };
  if (permanent.includes(code)) {
    return new PermanentError('bigtable-refused', text, options);
  }
  if (fatal.includes(code)) {
    return new FatalError(`${text}. Check the instance, the app profile and the rights, and run provision.`, options);
  }
  return new TransientError(text, options);
}

/** What a call was rejected with, named. Errors that are not gRPC's pass as they are. */
export function namedError(error: unknown, table: string): Error {
  const code = statusCode(error);
  if (code === undefined) {
    return error instanceof Error ? error : new Error(String(error));
  }
  return callError({ table, code, message: (error as Error).message, cause: error });
}
