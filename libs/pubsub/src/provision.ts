import type { TopicDeclaration } from '@meterflow/contracts';
import { FatalError, retryTopicOf } from '@meterflow/stage';
import { statusOf, type Call, type Connection } from './connection.ts';
import { timestamp } from './replay.ts';

/** What every topic and subscription is given. */
export interface ProvisionSettings {
  readonly ackDeadlineMs: number;
  /** So long a topic and a subscription keep messages, also settled ones: how far a replay reaches. */
  readonly retentionMs: number;
}

export const provisionSettings: ProvisionSettings = {
  ackDeadlineMs: 60_000,
  retentionMs: 7 * 24 * 60 * 60 * 1_000,
};

/** Where a new subscription begins: with all that its topic keeps, with what comes from now on, or with a time. */
export type SubscriptionStart = 'start' | 'now' | { readonly fromMs: number };

export interface SubscriptionDeclaration {
  readonly name: string;
  readonly topic: string;
  readonly from: SubscriptionStart;
}

/** What is not as declared. `wanted` undefined: it is there though nobody declared it. */
export interface Drift {
  readonly resource: string;
  readonly field: 'existence' | 'topic' | 'start' | 'ackDeadlineMs' | 'retentionMs' | 'retainAcked';
  readonly found: string;
  readonly wanted: string;
}

/** What is read of a subscription that is there. */
interface FoundSubscription {
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly retryPolicy?: { readonly minimumBackoff?: { readonly seconds?: unknown } | null } | null;
}

interface Wanted {
  readonly kind: 'topic' | 'subscription';
  readonly name: string;
  readonly topic: string;
  readonly from: SubscriptionStart;
}

/**
 * Pub/Sub makes a subscription at the end of its topic, and whoever makes it may die before it is moved to where it is to
 * begin. So it is made with that time in a label, and with a retry policy (which ours never have) until it is moved: the
 * next run then finds what is to be done. Of what may be changed later, the emulator knows no better mark.
 */
const startLabel = 'meterflow-start-ms';
const notBegun = { minimumBackoff: { seconds: 599 }, maximumBackoff: { seconds: 600 } };

/** Creates, checks and mends topics and subscriptions. Every call may be repeated, also after one that died on the way. */
export class Provisioning {
  readonly #connection: Connection;
  readonly #settings: ProvisionSettings;

  constructor(connection: Connection, settings: ProvisionSettings) {
    this.#connection = connection;
    this.#settings = settings;
  }

  /** Makes everything as declared; returns what was not. Throws FatalError for a subscription on another topic. */
  async provision(declarations: readonly TopicDeclaration[]): Promise<readonly Drift[]> {
    return this.#each(wantedOf(declarations), true);
  }

  /** Changes nothing; returns what is not as declared. */
  async check(declarations: readonly TopicDeclaration[]): Promise<readonly Drift[]> {
    return this.#each(wantedOf(declarations), false);
  }

  /** The names of all that are there, whoever made them. */
  async subscriptions(): Promise<readonly string[]> {
    const { subscriber } = this.#connection;
    const found = await this.#connection.call('list of subscriptions', (options) =>
      subscriber.listSubscriptions({ project: this.#connection.projectPath }, options),
    );
    return found.map(({ name }) => (name ?? '').split('/').at(-1) ?? '');
  }

  async topic(name: string): Promise<readonly Drift[]> {
    return this.#each([topicWanted(name)], true);
  }

  /** With its topic and its retry topic. One that is there stays where it is. */
  async subscription(declaration: SubscriptionDeclaration): Promise<readonly Drift[]> {
    return this.#each([topicWanted(declaration.topic), ...subscriptionWanted(declaration)], true);
  }

  async #each(all: readonly Wanted[], mend: boolean): Promise<readonly Drift[]> {
    const drifts: Drift[] = [];
    for (const wanted of all) {
      drifts.push(...(await (wanted.kind === 'topic' ? this.#topic(wanted, mend) : this.#subscription(wanted, mend))));
    }
    return drifts;
  }

  async #topic({ name }: Wanted, mend: boolean): Promise<readonly Drift[]> {
    const { publisher } = this.#connection;
    const path = this.#connection.topicPath(name);
    const messageRetentionDuration = timestamp(this.#settings.retentionMs);
    const found = await this.#found(`topic ${name}`, (options) => publisher.getTopic({ topic: path }, options));
    if (found === undefined) {
      if (mend) {
        await this.#created(`topic ${name}`, (options) =>
          publisher.createTopic({ name: path, messageRetentionDuration }, options),
        );
      }
      return [absent(`topic ${name}`)];
    }
    const drifts = this.#differences(`topic ${name}`, [
      ['retentionMs', durationMs(found.messageRetentionDuration), this.#settings.retentionMs],
    ]);
    if (mend && drifts.length > 0) {
      const topic = { name: path, messageRetentionDuration };
      await this.#connection.call(`update of topic ${name}`, (options) =>
        publisher.updateTopic({ topic, updateMask: { paths: ['message_retention_duration'] } }, options),
      );
    }
    return drifts;
  }

  async #subscription({ name, topic, from }: Wanted, mend: boolean): Promise<readonly Drift[]> {
    const { subscriber } = this.#connection;
    const resource = `subscription ${name}`;
    const path = this.#connection.subscriptionPath(name);
    const topicPath = this.#connection.topicPath(topic);
    const found = await this.#found(resource, (options) => subscriber.getSubscription({ subscription: path }, options));
    if (found === undefined) {
      if (mend) {
        await this.#createSubscription({ name, path, topicPath, fromMs: this.#fromMs(from) });
      }
      return [absent(resource)];
    }
    if (found.topic !== topicPath) {
      const drift = { resource, field: 'topic', found: found.topic ?? '', wanted: topicPath } as const;
      if (mend) {
        throw new FatalError(`The ${resource} is on ${drift.found}, not on ${topicPath}: it can't be moved.`);
      }
      return [drift];
    }
    const drifts = this.#differences(resource, [
      ['ackDeadlineMs', Number(found.ackDeadlineSeconds) * 1_000, this.#settings.ackDeadlineMs],
      ['retentionMs', durationMs(found.messageRetentionDuration), this.#settings.retentionMs],
      ['retainAcked', found.retainAckedMessages === true, true],
    ]);
    if (mend && drifts.length > 0) {
      const paths = ['ack_deadline_seconds', 'message_retention_duration', 'retain_acked_messages'];
      await this.#connection.call(`update of ${resource}`, (options) =>
        subscriber.updateSubscription(
          { subscription: { name: path, ...this.#kept() }, updateMask: { paths } },
          options,
        ),
      );
    }
    return [...drifts, ...(await this.#whereItBegins({ name, path, found }, mend))];
  }

  /** Of one that whoever made it never moved to where it begins. */
  async #whereItBegins(
    { name, path, found }: { readonly name: string; readonly path: string; readonly found: FoundSubscription },
    mend: boolean,
  ): Promise<readonly Drift[]> {
    const startMs = found.labels?.[startLabel];
    const backoff = Number(found.retryPolicy?.minimumBackoff?.seconds);
    if (startMs === undefined || backoff !== notBegun.minimumBackoff.seconds) {
      return [];
    }
    if (mend) {
      await this.#begin({ name, path, fromMs: Number(startMs) });
    }
    const wanted = new Date(Number(startMs)).toISOString();
    return [{ resource: `subscription ${name}`, field: 'start', found: 'not there yet', wanted }];
  }

  #fromMs(from: SubscriptionStart): number {
    // Also for `now`: the emulator begins with all that the topic keeps.
    return from === 'now' ? this.#connection.clock.nowMs() : from === 'start' ? 0 : from.fromMs;
  }

  async #createSubscription(wanted: {
    readonly name: string;
    readonly path: string;
    readonly topicPath: string;
    readonly fromMs: number;
  }): Promise<void> {
    const { subscriber } = this.#connection;
    const { name, path, topicPath, fromMs } = wanted;
    const labels = { [startLabel]: String(Math.floor(fromMs)) };
    await this.#created(`subscription ${name}`, (options) =>
      // Never expires; no broker-side retry, dead-letter or filter policy: the stage decides all of these.
      subscriber.createSubscription(
        { name: path, topic: topicPath, expirationPolicy: {}, labels, retryPolicy: notBegun, ...this.#kept() },
        options,
      ),
    );
    await this.#begin({ name, path, fromMs });
  }

  /** Moves a new subscription to where it begins, and only then takes off what says that it is not there. */
  async #begin({ name, path, fromMs }: { name: string; path: string; fromMs: number }): Promise<void> {
    const { subscriber } = this.#connection;
    await this.#connection.call(`seek of ${name}`, (options) =>
      subscriber.seek({ subscription: path, time: timestamp(fromMs) }, options),
    );
    await this.#connection.call(`update of subscription ${name}`, (options) =>
      subscriber.updateSubscription(
        { subscription: { name: path, retryPolicy: null }, updateMask: { paths: ['retry_policy'] } },
        options,
      ),
    );
  }

  #kept(): {
    ackDeadlineSeconds: number;
    messageRetentionDuration: ReturnType<typeof timestamp>;
    retainAckedMessages: true;
  } {
    return {
      ackDeadlineSeconds: Math.ceil(this.#settings.ackDeadlineMs / 1_000),
      messageRetentionDuration: timestamp(this.#settings.retentionMs),
      retainAckedMessages: true,
    };
  }

  #differences(
    resource: string,
    fields: readonly (readonly [Drift['field'], number | boolean, number | boolean])[],
  ): readonly Drift[] {
    return fields
      .filter(([, found, wanted]) => found !== wanted)
      .map(([field, found, wanted]) => ({ resource, field, found: String(found), wanted: String(wanted) }));
  }

  async #found<Result>(what: string, get: Call<Result>): Promise<Result | undefined> {
    try {
      return await this.#connection.call(`look at ${what}`, get);
    } catch (error) {
      if (statusOf((error as Error).cause) === 'not-found') {
        return undefined;
      }
      throw error;
    }
  }

  /** Someone else may have been faster, or our own answer was lost. */
  async #created(what: string, create: Call<unknown>): Promise<void> {
    try {
      await this.#connection.call(`creation of ${what}`, create);
    } catch (error) {
      if (statusOf((error as Error).cause) !== 'already-exists') {
        throw error;
      }
    }
  }
}

function wantedOf(declarations: readonly TopicDeclaration[]): readonly Wanted[] {
  return declarations.flatMap(({ topic, subscriptions }) => [
    topicWanted(topic),
    ...subscriptions.flatMap((name) => subscriptionWanted({ name, topic, from: 'start' })),
  ]);
}

function topicWanted(name: string): Wanted {
  return { kind: 'topic', name, topic: name, from: 'now' };
}

/** The retry topic feeds this subscription alone, by a subscription of the same name. */
function subscriptionWanted({ name, topic, from }: SubscriptionDeclaration): readonly Wanted[] {
  const retry = retryTopicOf(name);
  return [
    { kind: 'subscription', name, topic, from },
    topicWanted(retry),
    { kind: 'subscription', name: retry, topic: retry, from: 'start' },
  ];
}

function absent(resource: string): Drift {
  return { resource, field: 'existence', found: 'absent', wanted: 'present' };
}

function durationMs(duration: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(duration?.seconds ?? 0) * 1_000 + (duration?.nanos ?? 0) / 1_000_000;
}
