import { v1 } from '@google-cloud/pubsub';
import { Server, ServerCredentials, status, type ServerUnaryCall, type ServiceDefinition } from '@grpc/grpc-js';
import type { Clock } from '@meterflow/stage';
import { FakeSubscription, type Kept, type Settings } from './fake-subscription.ts';

/** Pub/Sub's own limits, which the emulator does not keep. */
const publishBytesMax = 10_000_000;
const publishMessagesMax = 1_000;
const ackDeadlineSecondsMin = 10;
const pullWaitMs = 2_000;
const pullPollMs = 5;

interface Refusal {
  readonly code: status;
  readonly message: string;
}

/** What goes wrong with the next calls of a method. `done` says whether the call has its effect all the same. */
interface Fault {
  readonly code: status | 'never answers';
  readonly done: boolean;
  left: number;
}

/** Every field of the requests that are understood; each has some of them. */
interface Request extends Settings {
  readonly name: string;
  readonly subscription: string & Settings & { readonly name: string };
  readonly messageRetentionDuration: unknown;
  readonly updateMask: { readonly paths: readonly string[] };
  readonly messages: readonly Pick<Kept, 'data' | 'attributes'>[];
  readonly maxMessages: number;
  readonly ackIds: readonly string[];
  readonly time: { readonly seconds: unknown; readonly nanos: number };
}

type Handler = (request: Request, call: { readonly cancelled: boolean }) => unknown;

/**
 * A Pub/Sub that keeps to the letter what the service reserves for itself and its emulator forgoes: leases that ran out
 * are redelivered, late acks are worth nothing, redeliveries come in any order, limits hold, and calls fail as told.
 */
export class FakePubsub {
  /** Acks, nacks and extensions of leases that had run out, which it ignored. */
  lateCalls = 0;
  readonly calls: string[] = [];
  readonly #clock: Clock;
  readonly #server = new Server({ 'grpc.max_receive_message_length': 2 * publishBytesMax });
  readonly #retention = new Map<string, unknown>();
  readonly #topics = new Map<string, Kept[]>();
  readonly #subscriptions = new Map<string, FakeSubscription>();
  readonly #faults = new Map<string, Fault>();
  #port = 0;
  #published = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#serve(new v1.PublisherClient(unconnected), 'Publisher', {
      createTopic: (request) => this.#createTopic(request),
      getTopic: ({ topic }) => this.#getTopic(topic),
      updateTopic: ({ topic }) => this.#updateTopic(topic as unknown as Request),
      publish: (request) => this.#publish(request),
    });
    this.#serve(new v1.SubscriberClient(unconnected), 'Subscriber', {
      createSubscription: (request) => this.#createSubscription(request),
      getSubscription: ({ subscription }) => this.#subscription(subscription).settings,
      updateSubscription: (request) => this.#updateSubscription(request),
      pull: (request, call) => this.#pull(request, call),
      acknowledge: ({ subscription, ackIds }) => this.#late(this.#subscription(subscription).ack(ackIds, this.#nowMs)),
      modifyAckDeadline: (request) => this.#modifyAckDeadline(request),
      seek: ({ subscription, time }) => {
        this.#subscription(subscription).seek(milliseconds(time));
        return {};
      },
      createSnapshot: (request) => this.#createSnapshot(request),
      deleteSnapshot: () => ({}),
    });
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) {
          resolve(port);
        } else {
          reject(error);
        }
      });
    });
  }

  /** The next `times` calls of a method fail with `code`; with `done` they have their effect and only the answer is lost. */
  fail(method: string, code: Fault['code'], { times = 1, done = false } = {}): void {
    this.#faults.set(method, { code, done, left: times });
  }

  /** How many messages of a subscription are not settled. */
  unsettled(subscription: string): number {
    return [...this.#subscriptions].find(([name]) => name.endsWith(`/${subscription}`))?.[1].unsettled ?? 0;
  }

  /** How many messages of a subscription are leased now. */
  leased(subscription: string): number {
    const found = [...this.#subscriptions].find(([name]) => name.endsWith(`/${subscription}`));
    return found?.[1].leased(this.#nowMs) ?? 0;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  get #nowMs(): number {
    return this.#clock.nowMs();
  }

  #createTopic({ name, messageRetentionDuration }: Request): unknown {
    if (this.#topics.has(name)) {
      throw refusal(status.ALREADY_EXISTS, 'Topic already exists');
    }
    this.#topics.set(name, []);
    this.#retention.set(name, messageRetentionDuration);
    return { name };
  }

  #getTopic(name: string): unknown {
    this.#kept(name);
    return { name, messageRetentionDuration: this.#retention.get(name) };
  }

  #updateTopic({ name, messageRetentionDuration }: Pick<Request, 'name' | 'messageRetentionDuration'>): unknown {
    this.#kept(name);
    this.#retention.set(name, messageRetentionDuration);
    return { name };
  }

  #publish({ topic, messages: all }: Request): unknown {
    const kept = this.#kept(topic);
    const bytes = all.reduce((sum, { data }) => sum + data.length, 0);
    if (bytes > publishBytesMax || all.length > publishMessagesMax) {
      throw refusal(status.INVALID_ARGUMENT, `Request of ${bytes} bytes, ${all.length} messages is too large`);
    }
    if (all.some(({ data, attributes }) => data.length === 0 && Object.keys(attributes).length === 0)) {
      throw refusal(status.INVALID_ARGUMENT, 'Some messages are empty');
    }
    if (all.some(({ attributes }) => Object.keys(attributes).some((key) => key.startsWith('goog')))) {
      throw refusal(status.INVALID_ARGUMENT, 'Attribute keys that begin with "goog" are reserved');
    }
    const published = all.map(({ data, attributes }) => ({
      id: String((this.#published += 1)),
      data,
      attributes,
      atMs: this.#nowMs,
    }));
    kept.push(...published);
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.topic === topic) {
        subscription.add(published);
      }
    }
    return { messageIds: published.map(({ id }) => id) };
  }

  #createSubscription(request: Request): unknown {
    const { name, topic, ackDeadlineSeconds } = request;
    if (this.#subscriptions.has(name)) {
      throw refusal(status.ALREADY_EXISTS, 'Subscription already exists');
    }
    if (ackDeadlineSeconds < ackDeadlineSecondsMin) {
      throw refusal(status.INVALID_ARGUMENT, `An ack deadline is at least ${ackDeadlineSecondsMin} s`);
    }
    this.#subscriptions.set(name, new FakeSubscription(request, this.#kept(topic)));
    return request;
  }

  #updateSubscription({ subscription, updateMask }: Request): unknown {
    const { settings } = this.#subscription(subscription.name);
    const fields = updateMask.paths.map((path) =>
      path.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    );
    Object.assign(settings, Object.fromEntries(Object.entries(subscription).filter(([name]) => fields.includes(name))));
    return settings;
  }

  /** Waits for a message, as the service does, and answers with fewer than there are. */
  async #pull({ subscription, maxMessages }: Request, call: { readonly cancelled: boolean }): Promise<unknown> {
    const from = this.#subscription(subscription);
    for (let waitedMs = 0; waitedMs < pullWaitMs && !call.cancelled; waitedMs += pullPollMs) {
      const receivedMessages = from.lease(Math.max(1, Math.ceil(maxMessages / 2)), this.#nowMs);
      if (receivedMessages.length > 0) {
        return { receivedMessages };
      }
      await new Promise((resolve) => setTimeout(resolve, pullPollMs));
    }
    return { receivedMessages: [] };
  }

  #modifyAckDeadline({ subscription, ackIds, ackDeadlineSeconds }: Request): unknown {
    if (ackDeadlineSeconds < 0 || ackDeadlineSeconds > 600) {
      throw refusal(status.INVALID_ARGUMENT, 'An ack deadline is at most 600 s');
    }
    return this.#late(
      this.#subscription(subscription).modify(ackIds, { nowMs: this.#nowMs, seconds: ackDeadlineSeconds }),
    );
  }

  #createSnapshot({ name, subscription }: Request): unknown {
    const ms = (this.#subscription(subscription).oldestMs ?? this.#nowMs) + 7 * 24 * 60 * 60 * 1_000;
    return { name, expireTime: { seconds: Math.floor(ms / 1_000), nanos: Math.floor(ms % 1_000) * 1_000_000 } };
  }

  #late(late: number): unknown {
    this.lateCalls += late;
    return {};
  }

  #kept(topic: string): Kept[] {
    const kept = this.#topics.get(topic);
    if (kept === undefined) {
      throw refusal(status.NOT_FOUND, `Topic not found: ${topic}`);
    }
    return kept;
  }

  #subscription(name: string): FakeSubscription {
    const subscription = this.#subscriptions.get(name);
    if (subscription === undefined) {
      throw refusal(status.NOT_FOUND, `Subscription not found: ${name}`);
    }
    return subscription;
  }

  /** The service's definition is the client's own: what it sends is what is understood here. */
  #serve(client: object, service: string, handlers: Record<string, Handler>): void {
    const { _protos } = client as {
      _protos: { google: { pubsub: { v1: Record<string, { service: ServiceDefinition }> } } };
    };
    const definition = _protos.google.pubsub.v1[service]!.service;
    this.#server.addService(
      definition,
      Object.fromEntries(
        Object.entries(handlers).map(([method, handler]) => [
          method,
          (call: ServerUnaryCall<Request, unknown>, answer: (error: Refusal | null, value?: unknown) => void) => {
            void this.#answer({ method, handler, call }, answer);
          },
        ]),
      ),
    );
  }

  async #answer(
    { method, handler, call }: { method: string; handler: Handler; call: ServerUnaryCall<Request, unknown> },
    answer: (error: Refusal | null, value?: unknown) => void,
  ): Promise<void> {
    this.calls.push(method);
    const fault = this.#faults.get(method);
    const code = fault !== undefined && fault.left > 0 ? fault.code : undefined;
    if (fault !== undefined && code !== undefined) {
      fault.left -= 1;
    }
    try {
      const value = code === undefined || fault?.done === true ? await handler(call.request, call) : undefined;
      if (code === undefined) {
        answer(null, value);
      } else if (code !== 'never answers') {
        answer(refusal(code, `${method} fails as told`));
      }
    } catch (error) {
      answer(error as Refusal);
    }
  }
}

const unconnected = { projectId: 'none', servicePath: '127.0.0.1', port: 1 };

function refusal(code: status, message: string): Error & Refusal {
  return Object.assign(new Error(message), { code });
}

function milliseconds({ seconds, nanos }: { seconds: unknown; nanos: number }): number {
  return Number(seconds) * 1_000 + nanos / 1_000_000;
}
