import { grpcError, grpcStatus, grpcStatusOf } from '@meterflow/stage';

export interface FailedCall {
  readonly table: string;
  /** Of gRPC. */
  readonly code: number;
  readonly message: string;
  readonly cause?: unknown;
}

/** The error that says what the caller must do. */
export function callError({ table, code, message, cause }: FailedCall): Error {
  const status = grpcStatusOf(code);
  return grpcError({
    status,
    message: `Bigtable, table ${table}: ${status}, ${message}`,
    refusedCode: 'bigtable-refused',
    remedy: 'Check the instance, the app profile and the rights, and run provision.',
    cause,
  });
}

/** What a call was rejected with, named. Errors that are not gRPC's pass as they are. */
export function namedError(error: unknown, table: string): Error {
  if (grpcStatus(error) === undefined) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const { code, message } = error as Error & { readonly code: number };
  return callError({ table, code, message, cause: error });
}
