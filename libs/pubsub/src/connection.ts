import { v1, type CallOptions } from '@google-cloud/pubsub';
import { credentials } from '@grpc/grpc-js';
import { FatalError, PermanentError, TransientError, type Clock, type Telemetry } from '@meterflow/stage';
import type { PubsubLimits } from './limits.ts';

/**
 * How much of an answer may be on its way. With HTTP/2's own 64 KB an answer of half a megabyte waits eight times for the
 * server to hear that it may go on, and costs up to twice the CPU.
 */
const flowControlWindowBytes = 8 * 1024 * 1024;

/** A call of a client, which answers with a tuple that begins with the result. */
export type Call<Result> = (options: CallOptions) => Promise<readonly [Result, ...unknown[]]>;

export interface ConnectionOptions {
  readonly projectId: string;
  /** `host:port` of an emulator; without it Google's own, with the machine's credentials. */
  readonly emulator?: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly limits: PubsubLimits;
}

/** The two low-level clients and how they are called: bounded in time and attempts, failures counted and classed. */
export class Connection {
  readonly publisher: v1.PublisherClient;
  readonly subscriber: v1.SubscriberClient;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly limits: PubsubLimits;
  readonly #projectId: string;

  constructor({ projectId, emulator, clock, telemetry, limits }: ConnectionOptions) {
    const options = {
      projectId,
      'grpc-node.flow_control_window': flowControlWindowBytes,
      ...(emulator !== undefined && emulatorOptions(emulator)),
    };
    this.publisher = new v1.PublisherClient(options);
    this.subscriber = new v1.SubscriberClient(options);
    this.clock = clock;
    this.telemetry = telemetry;
    this.limits = limits;
    this.#projectId = projectId;
  }

  get projectPath(): string {
    return `projects/${this.#projectId}`;
  }

  topicPath(name: string): string {
    return `${this.projectPath}/topics/${name}`;
  }

  subscriptionPath(name: string): string {
    return `${this.projectPath}/subscriptions/${name}`;
  }

  snapshotPath(name: string): string {
    return `${this.projectPath}/snapshots/${name}`;
  }

  /**
   * Makes a call that may be made twice. Rejects with a PermanentError when Pub/Sub will never take it, with a
   * FatalError when there is no such topic or subscription, else with a TransientError.
   */
  async call<Result>(what: string, make: Call<Result>): Promise<Result> {
    const { callTimeoutMs, callAttemptsMax, callRetryDelayMs } = this.limits;
    for (let attempt = 1; ; attempt += 1) {
      try {
        // The client's own retries would go on for ten minutes, behind the back of whoever waits.
        const [result] = await make({ timeout: callTimeoutMs, retry: null });
        return result;
      } catch (error) {
        this.telemetry.count('bus_call_failures_total', 1, {
          call: what.split(' ', 1)[0] ?? '',
          code: statusOf(error),
        });
        if (attempt === callAttemptsMax || !retried.has(statusOf(error))) {
          throw classed(error, what);
        }
        await this.clock.sleep(callRetryDelayMs * 2 ** (attempt - 1));
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.publisher.close(), this.subscriber.close()]);
  }
}

function emulatorOptions(address: string): {
  servicePath: string;
  port: number;
  sslCreds: ReturnType<typeof credentials.createInsecure>;
} {
  const [servicePath = '', port = ''] = address.split(/:(?=\d+$)/);
  return { servicePath, port: Number(port), sslCreds: credentials.createInsecure() };
}

const statusNames: Readonly<Record<number, string>> = {
  1: 'cancelled',
  2: 'unknown',
  3: 'invalid-argument',
  4: 'deadline-exceeded',
  5: 'not-found',
  6: 'already-exists',
  7: 'permission-denied',
  8: 'resource-exhausted',
  9: 'failed-precondition',
  10: 'aborted',
  11: 'out-of-range',
  12: 'unimplemented',
  13: 'internal',
  14: 'unavailable',
  15: 'data-loss',
  16: 'unauthenticated',
};

const retried = new Set(['unknown', 'deadline-exceeded', 'resource-exhausted', 'aborted', 'internal', 'unavailable']);

/** The name of the gRPC status that a call failed with. */
export function statusOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return (typeof code === 'number' ? statusNames[code] : undefined) ?? 'unknown';
}

/** The error that a port promises, for what a call failed with. */
export function classed(error: unknown, what: string): Error {
  const message = `Pub/Sub: ${what}: ${(error as Error).message}`;
  switch (statusOf(error)) {
    case 'not-found':
      return new FatalError(`${message}. Provision it before use.`, { cause: error });
    case 'invalid-argument':
      return new PermanentError('refused-by-pubsub', message, { cause: error });
    default:
      return new TransientError(message, { cause: error });
  }
}
