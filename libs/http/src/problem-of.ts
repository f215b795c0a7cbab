import { FatalError, TransientError, type Logger } from '@meterflow/stage';
import type { z } from 'zod';
import { Problem, type RequestError } from './problem.ts';

const retryAfterSeconds = 1;
const errorsShownMax = 20;

/** What to answer for an error that a route threw. What the caller can't mend is logged, and not shown. */
export function problemOf(error: unknown, context: { readonly log: Logger; readonly requestId: string }): Problem {
  if (error instanceof Problem) {
    return error;
  }
  if (error instanceof TransientError || error instanceof FatalError) {
    context.log.warn('request not served', { requestId: context.requestId, error });
    return new Problem('unavailable', 'a store or the bus can not be reached', { retryAfterSeconds, cause: error });
  }
  const status = statusOf(error);
  if (status !== undefined && status >= 400 && status < 500) {
    return new Problem(status === 415 ? 'unsupported-media-type' : 'invalid-request', (error as Error).message, {
      cause: error,
    });
  }
  context.log.error('request failed', { requestId: context.requestId, error });
  return new Problem('internal-error', 'an unexpected error; it is in the log under the request id', { cause: error });
}

/** The problem for a part of a request that does not fit its schema. */
export function invalidRequest(part: 'params' | 'query' | 'body', error: z.ZodError): Problem {
  const errors: RequestError[] = error.issues.slice(0, errorsShownMax).map(({ path, message }) => ({
    at: [part, ...path.map(String)].join('.'),
    problem: message,
  }));
  const first = errors[0];
  return new Problem('invalid-request', first === undefined ? 'it does not fit' : `${first.at}: ${first.problem}`, {
    errors,
  });
}

function statusOf(error: unknown): number | undefined {
  const status: unknown = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}
