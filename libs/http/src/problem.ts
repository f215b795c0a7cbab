import type { Role } from '@meterflow/registry';

/** Every problem that a server of ours tells of: status, title, and what to do about it. Codes are stable. */
const catalogue = {
  'invalid-request': [
    400,
    'The request is not valid',
    'Correct what `errors` lists; /openapi.json says what is expected.',
  ],
  'not-acceptable': [
    406,
    'None of the accepted formats can be had',
    'Accept one of the content types that /openapi.json lists for this path, or name one by `format`.',
  ],
  'invalid-json': [400, 'The body is not JSON', 'Send one JSON value in UTF-8.'],
  'incomplete-body': [400, 'The body ended too early', 'Send the request again, whole.'],
  'not-authenticated': [
    401,
    'A valid API key is needed',
    'Send "Authorization: Bearer mf_…" with a key that is neither revoked nor expired.',
  ],
  'role-not-allowed': [403, 'The key has not the role for this', 'Use a key of one of the roles that `detail` names.'],
  'not-found': [
    404,
    'There is no such thing',
    'Check the path and the id; what belongs to another tenant is not there either.',
  ],
  'method-not-allowed': [405, 'The path has no such method', 'Use a method that the Allow header names.'],
  conflict: [409, 'Another change came first', 'Read it again and decide anew.'],
  'idempotency-key-reused': [409, 'The Idempotency-Key was used with other content', 'Use a new key for new content.'],
  'body-too-large': [413, 'The body is too large', 'Send less at once, or have the quota raised.'],
  'unsupported-media-type': [
    415,
    'The content type is not understood',
    'Use a content type that /openapi.json lists for this path.',
  ],
  'unprocessable-content': [422, 'The content can not be taken', 'Correct it as `detail` says.'],
  'too-many-requests': [429, 'The tenant asks too often', 'Wait as long as Retry-After says.'],
  'quota-exceeded': [
    429,
    'A quota of the tenant is used up',
    'Wait as long as Retry-After says, or have the quota raised.',
  ],
  overloaded: [429, 'There is more than can be taken now', 'Wait as long as Retry-After says and send it again.'],
  'internal-error': [500, 'The server failed', 'Try again; when it stays, give the operator the `requestId`.'],
  unavailable: [503, 'Not available for the moment', 'Send the request again after Retry-After; nothing was lost.'],
} as const satisfies Record<string, readonly [status: number, title: string, action: string]>;

export type ProblemCode = keyof typeof catalogue;
export const problemCodes = Object.keys(catalogue) as readonly ProblemCode[];

/** One thing that is wrong with a request: where, and what. */
export interface RequestError {
  /** `query.from`, `body.quotas.readingsPerDay` */
  readonly at: string;
  readonly problem: string;
}

export interface ProblemOptions {
  readonly errors?: readonly RequestError[];
  readonly retryAfterSeconds?: number;
  readonly allow?: readonly string[];
  readonly cause?: unknown;
}

/** Thrown by a route to answer with this problem. `detail` is shown to the caller. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.options = options;
  }

  get status(): number {
    return catalogue[this.code][0];
  }

  get headers(): Readonly<Record<string, string>> {
    const { retryAfterSeconds, allow } = this.options;
    return {
      ...(this.code === 'not-authenticated' ? { 'www-authenticate': 'Bearer realm="meterflow"' } : {}),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds))) }),
      ...(allow === undefined ? {} : { allow: allow.join(', ') }),
    };
  }

  /** The body, as RFC 9457 has it. */
  body(requestId: string): object {
    const [status, title, action] = catalogue[this.code];
    const { errors } = this.options;
    return {
      type: `urn:meterflow:problem:${this.code}`,
      title,
      status,
      detail: this.message,
      code: this.code,
      action,
      requestId,
      ...(errors === undefined ? {} : { errors }),
    };
  }
}

export function wrongRole(role: Role, allowed: readonly Role[]): Problem {
  return new Problem('role-not-allowed', `this needs a key of role ${allowed.join(' or ')}; the key's role is ${role}`);
}
