import { v1, type CallOptions } from '@google-cloud/pubsub';
import { credentials } from '@grpc/grpc-js';
import { grpcError, grpcStatus, type Clock, type GrpcStatus, type Telemetry } from '@meterflow/stage';
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
   * FatalError when there is no such topic or subscription or no right to it, else with a TransientError.
   */
  async call<Result>(
    what: string,
    make: Call<Result>,
    { timeoutMs = this.limits.callTimeoutMs }: { readonly timeoutMs?: number } = {},
  ): Promise<Result> {
    const { callAttemptsMax, callRetryDelayMs } = this.limits;
    for (let attempt = 1; ; attempt += 1) {
      try {
        // The client's own retries would go on for ten minutes, behind the back of whoever waits.
        const [result] = await make({ timeout: timeoutMs, retry: null });
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

const retried: ReadonlySet<GrpcStatus> = new Set<GrpcStatus>([
  'unknown',
  'deadline-exceeded',
  'resource-exhausted',
  'aborted',
  'internal',
  'unavailable',
]);

/** The name of the gRPC status that a call failed with. */
export function statusOf(error: unknown): GrpcStatus {
  return grpcStatus(error) ?? 'unknown';
}

/** The error that a port promises, for what a call failed with. */
export function classed(error: unknown, what: string): Error {
  return grpcError({
    status: statusOf(error),
    message: `Pub/Sub: ${what}: ${(error as Error).message}`,
    refusedCode: 'refused-by-pubsub',
    remedy: 'Check the project and the rights, and run provision.',
    cause: error,
  });
}
