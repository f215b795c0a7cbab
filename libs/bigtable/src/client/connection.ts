import { Bigtable, v2 } from '@google-cloud/bigtable';
import { TransientError, type Clock } from '@meterflow/stage';

export interface ConnectionOptions {
  readonly projectId: string;
  readonly instance: string;
  /** One with single-cluster routing: compare-and-set and tickets are refused under any other. '' for the default one. */
  readonly appProfile?: string;
  /** `host:port` of an emulator, without encryption or credentials. */
  readonly emulator?: string;
  readonly clock: Clock;
}

type Method = 'ReadRows' | 'MutateRows' | 'CheckAndMutateRow' | 'ReadModifyWriteRow';

/** What of grpc-js's client we call: requests and answers as bytes. */
interface Stub {
  makeServerStreamRequest(
    ...request: [string, Identity, Identity, Buffer, null, CallOptions]
  ): AsyncIterable<Buffer> & { cancel(): void };
  makeUnaryRequest(
    ...request: [
      string,
      Identity,
      Identity,
      Buffer,
      CallOptions,
      (error: Error | null, answer: Buffer | undefined) => void,
    ]
  ): void;
}

type Identity = (bytes: Buffer) => Buffer;

interface CallOptions {
  readonly deadline: number;
  readonly routing: string;
}

/** What grpc-js hands to a call invocation transformer, as far as we look at it. */
interface CallProperties {
  readonly metadata: { set(name: string, value: string): void };
  readonly callOptions: Partial<CallOptions>;
}

type Transformer = (properties: CallProperties) => CallProperties;

const service = '/google.bigtable.v2.Bigtable';
const transformerOption = 'grpc.callInvocationTransformer';
const identity: Identity = (bytes) => bytes;

/** One call may take so long; a retry gets as long again. */
const callMsMax = 20_000;

/**
 * The channels, credentials and pool of Google's client, with requests and answers as bytes of ours: what the client
 * itself makes of 4,000 rows in objects costs twenty times the CPU (docs/adr, the Bigtable layout).
 */
export class Connection {
  readonly appProfile: string;
  readonly #parent: string;
  readonly #clock: Clock;
  readonly #options: ConstructorParameters<typeof v2.BigtableClient>[0];
  readonly #adminOptions: ConstructorParameters<typeof v2.BigtableTableAdminClient>[0];
  #admin: v2.BigtableTableAdminClient | undefined;
  #client: v2.BigtableClient | undefined;
  #stub: Promise<Stub> | undefined;

  constructor({ projectId, instance, appProfile = '', emulator, clock }: ConnectionOptions) {
    this.appProfile = appProfile;
    this.#parent = `projects/${projectId}/instances/${instance}`;
    this.#clock = clock;
    const google = new Bigtable({
      projectId,
      metricsEnabled: false,
      ...(emulator === undefined ? {} : { apiEndpoint: emulator }),
    });
    this.#adminOptions = google.options.BigtableTableAdminClient;
    this.#options = routed(google.options.BigtableClient);
  }

  get parent(): string {
    return this.#parent;
  }

  tableName(table: string): string {
    return `${this.#parent}/tables/${table}`;
  }

  /** For provisioning. */
  get admin(): v2.BigtableTableAdminClient {
    this.#admin ??= new v2.BigtableTableAdminClient(this.#adminOptions);
    return this.#admin;
  }

  /** The parts of the answer as they come. */
  async *stream(method: Method, table: string, request: Buffer): AsyncGenerator<Buffer> {
    const stub = await this.#opened();
    const path = `${service}/${method}`;
    const call = stub.makeServerStreamRequest(path, identity, identity, request, null, this.#callOptions(table));
    try {
      yield* call;
    } finally {
      call.cancel();
    }
  }

  async call(method: Method, table: string, request: Buffer): Promise<Buffer> {
    const stub = await this.#opened();
    const path = `${service}/${method}`;
    return new Promise((resolve, reject) => {
      stub.makeUnaryRequest(path, identity, identity, request, this.#callOptions(table), (error, answer) => {
        if (error !== null || answer === undefined) {
          reject(error ?? new Error('no answer'));
        } else {
          resolve(answer);
        }
      });
    });
  }

  async close(): Promise<void> {
    const [client, admin] = [this.#client, this.#admin];
    this.#client = undefined;
    this.#admin = undefined;
    this.#stub = undefined;
    await client?.close();
    await admin?.close();
  }

  #opened(): Promise<Stub> {
    this.#stub ??= this.#open();
    return this.#stub;
  }

  /** What failed to open is opened anew by the next call: whoever hands out credentials may be back by then. */
  async #open(): Promise<Stub> {
    this.#client = new v2.BigtableClient(this.#options);
    try {
      return (await this.#client.initialize()) as unknown as Stub;
    } catch (error) {
      this.#stub = undefined;
      throw new TransientError('Bigtable can not be reached: its credentials or its address are not to be had.', {
        cause: error,
      });
    }
  }

  #callOptions(table: string): CallOptions {
    const name = encodeURIComponent(this.tableName(table));
    return {
      deadline: this.#clock.nowMs() + callMsMax,
      routing: `table_name=${name}&app_profile_id=${encodeURIComponent(this.appProfile)}`,
    };
  }
}

/** The service routes by a header that the client sets above the level that we call at. */
function routed<Options extends object | undefined>(options: Options): Options {
  const own = (options as Record<string, unknown>)[transformerOption] as Transformer | undefined;
  const transformer: Transformer = (properties) => {
    const { routing } = properties.callOptions;
    if (routing !== undefined) {
      properties.metadata.set('x-goog-request-params', routing);
    }
    return own === undefined ? properties : own(properties);
  };
  return { ...options, [transformerOption]: transformer };
}
