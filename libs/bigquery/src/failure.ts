import { FatalError, PermanentError, TransientError } from '@meterflow/stage';

/** Thrown when the service has used up a quota of ours: later, but not at once. */
export class QuotaError extends TransientError {}

/** What BigQuery says of a call or of a job that failed. */
export interface Complaint {
  /** HTTP's, of a call that was answered. */
  readonly status?: number;
  readonly reason?: string;
  readonly message: string;
}

const transientReasons = new Set([
  'backendError',
  'internalError',
  'jobBackendError',
  'jobInternalError',
  'rateLimitExceeded',
  'jobRateLimitExceeded',
  'userRateLimitExceeded',
  'resourceInUse',
  'resourcesExceeded',
  'stopped',
  'tableUnavailable',
  'timeout',
]);
/** Somebody must set something right before this process can do its work. */
const fatalReasons = new Set(['accessDenied', 'authError', 'billingNotEnabled', 'blocked', 'notFound']);
const permanentReasons = new Set(['invalid', 'invalidQuery', 'required']);
const fatalStatuses = new Set([401, 403, 404]);
const permanentStatuses = new Set([400, 413]);

/** The error that makes a stage do the right thing. What is not known is transient: nothing is lost by trying again. */
export function failureOf({ status, reason = '', message }: Complaint, options?: ErrorOptions): Error {
  const text = `BigQuery: ${message}${reason === '' ? '' : ` (${reason})`}`;
  if (reason === 'quotaExceeded') {
    return new QuotaError(text, options);
  }
  if (transientReasons.has(reason)) {
    return new TransientError(text, options);
  }
  if (fatalReasons.has(reason) || (status !== undefined && fatalStatuses.has(status))) {
    return new FatalError(text, options);
  }
  if (permanentReasons.has(reason) || (status !== undefined && permanentStatuses.has(status))) {
    return new PermanentError('warehouse-refused', text, options);
  }
  return new TransientError(text, options);
}

/** What the client rejected with: an answer of the service, or a connection that failed. */
export function complaintOf(error: unknown): Complaint {
  if (typeof error !== 'object' || error === null) {
    return { message: String(error) };
  }
  const { code, message, errors } = error as { code?: unknown; message?: unknown; errors?: unknown };
  const first = (Array.isArray(errors) ? errors[0] : undefined) as { reason?: unknown } | undefined;
  return {
    ...(typeof code === 'number' ? { status: code } : {}),
    ...(typeof first?.reason === 'string' ? { reason: first.reason } : {}),
    message: typeof message === 'string' ? message : 'unknown failure',
  };
}
