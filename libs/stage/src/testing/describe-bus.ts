import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LeasedMessage, OutgoingMessage } from '../message.ts';
import type { Publisher } from '../publisher.ts';
import type { ReceiveRequest, Source } from '../source.ts';

/** What one process has of a bus. */
export interface BusConnection {
  readonly publisher: Publisher;
  source(subscription: string): Promise<Source>;
  /** Delivers again what was published at or after a time, under a new epoch. */
  replay(subscription: string, fromMs: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * An empty bus with the topics `first` and `second`; the subscriptions `one` and `other` of `first`, from its start; and
 * the topic `one.retry`, which feeds `one` alone.
 */
export interface BusUnderTest {
  /** As another process would, under its own name. */
  connect(owner: string): Promise<BusConnection>;
  /** What the sources have as their ack deadline. */
  readonly ackDeadlineMs: number;
  /** A delay that a nack asks for, where the default is too long to be waited for. */
  readonly nackDelayMs?: number;
  /** Whether messages say how often they were delivered; true unless told. */
  readonly countsDeliveries?: boolean;
  nowMs(): number;
  /** Moves its clock, or waits. */
  advance(ms: number): Promise<void>;
  /** Declares a subscription of `first`. */
  subscribe(name: string, from: 'start' | 'now' | { readonly fromMs: number }): Promise<void>;
  /**
   * Starts a real process that publishes `published` to `first`, says so, leases all it can from `one`, and is killed by
   * SIGKILL. Resolves with how many it had leased when it is dead.
   */
  dieHoldingLeases(published: readonly Uint8Array[]): Promise<number>;
  close(): Promise<void>;
}

const marginMs = 200;
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);
const bytes = (payload: string): Uint8Array => new TextEncoder().encode(payload);
const outgoing = (payload: string, topic = 'first'): OutgoingMessage => ({
  topic,
  payload: bytes(payload),
  attributes: { tenant: 'default' },
});
const texts = (messages: readonly LeasedMessage[]): string[] => messages.map(({ payload }) => text(payload));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const all = { messagesMax: 100, bytesMax: 100_000_000 };

/** What every bus promises, whatever it is made of. */
export function describeBus(name: string, open: () => Promise<BusUnderTest>): void {
  describe(`${name} as a bus`, () => {
    let bus: BusUnderTest;
    let a: BusConnection;
    let b: BusConnection;

    beforeEach(async () => {
      bus = await open();
      a = await bus.connect('a');
      b = await bus.connect('b');
    });

    afterEach(async () => {
      await a.close();
      await b.close();
      await bus.close();
    });

    const publish = (...payloads: string[]): Promise<void> =>
      a.publisher.publish(payloads.map((payload) => outgoing(payload)));
    const receive = (source: Source, request: Partial<ReceiveRequest> = {}): Promise<readonly LeasedMessage[]> =>
      source.receive({ ...all, waitMs: 2_000, signal: new AbortController().signal, ...request });
    const receiveNothing = async (source: Source): Promise<void> => {
      expect(texts(await receive(source, { waitMs: 60 }))).toEqual([]);
    };
    const expire = (): Promise<void> => bus.advance(bus.ackDeadlineMs + marginMs);

    describe('publishing', () => {
      test('what was published comes with its bytes, attributes and time', async () => {
        const beforeMs = bus.nowMs();
        await publish('hello');
        const [message] = await receive(await b.source('one'));
        const deliveryAttempt = bus.countsDeliveries === false ? 0 : 1;
        expect(message).toMatchObject({ attributes: { tenant: 'default' }, deliveryAttempt });
        expect(text(message!.payload)).toBe('hello');
        expect(message!.publishedAtMs).toBeGreaterThanOrEqual(beforeMs - 1);
        expect(message!.publishedAtMs).toBeLessThanOrEqual(bus.nowMs() + 1);
      });

      test('payloads of any size come as they were, also an empty one', async () => {
        const payloads = [0, 1, 7, 2_047, 2_048, 2_049, 65_536, 1_000_003].map((length) =>
          new Uint8Array(length).map((_, index) => (index * 31 + length) & 255),
        );
        await a.publisher.publish(payloads.map((payload) => ({ topic: 'first', payload, attributes: {} })));
        const received = await receiveAll(await b.source('one'), payloads.length);
        const byLength = received.map(({ payload }) => payload).toSorted((x, y) => x.length - y.length);
        byLength.forEach((payload, index) => {
          expect(Buffer.compare(payload, payloads[index]!)).toBe(0);
        });
      });

      test('what was published is there for who opens the bus later', async () => {
        await publish('kept');
        await a.close();
        a = await bus.connect('a again');
        expect(texts(await receive(await a.source('one')))).toEqual(['kept']);
      });

      test('each subscription of the topic gets every message', async () => {
        await publish('1', '2');
        expect(texts(await receiveAll(await a.source('one'), 2)).toSorted()).toEqual(['1', '2']);
        expect(texts(await receiveAll(await a.source('other'), 2)).toSorted()).toEqual(['1', '2']);
      });

      test('one call may publish to several topics, and each message goes to its own', async () => {
        await a.publisher.publish([outgoing('here'), outgoing('there', 'second')]);
        const source = await a.source('one');
        expect(texts(await receive(source))).toEqual(['here']);
        await receiveNothing(source);
      });

      test('an empty call is fine', async () => {
        await a.publisher.publish([]);
        await receiveNothing(await a.source('one'));
      });

      test('calls at the same time all come through', async () => {
        const payloads = Array.from({ length: 40 }, (_, index) => `message ${index}`);
        await Promise.all(payloads.map((payload) => publish(payload)));
        expect(texts(await receiveAll(await b.source('one'), 40)).toSorted()).toEqual(payloads.toSorted());
      });

      test('a topic that nobody declared is an error', async () => {
        await expect(a.publisher.publish([outgoing('lost', 'nowhere')])).rejects.toThrow('nowhere');
      });
    });

    describe('receiving', () => {
      test('a receiver that waits gets a message soon after it is published by another process', async () => {
        const waiting = receive(await b.source('one'), { waitMs: 10_000 });
        await publish('at last');
        expect(texts(await waiting)).toEqual(['at last']);
      });

      test('nothing within waitMs is an empty answer', async () => {
        await receiveNothing(await b.source('one'));
      });

      test('an abort ends the waiting at once', async () => {
        const abort = new AbortController();
        const waiting = receive(await b.source('one'), { waitMs: 60_000, signal: abort.signal });
        abort.abort();
        expect(await waiting).toEqual([]);
      });

      test('no more than messagesMax come at once', async () => {
        await publish('1', '2', '3');
        const source = await a.source('one');
        const lengths: number[] = [];
        while (sum(lengths) < 3) {
          lengths.push((await receive(source, { messagesMax: 2 })).length);
        }
        expect(Math.max(...lengths)).toBeLessThanOrEqual(2);
        expect(Math.min(...lengths)).toBeGreaterThanOrEqual(1);
        expect(sum(lengths)).toBe(3);
      });

      test('bytesMax is not passed, but one message always comes', async () => {
        await publish('12345', '12345', '12345');
        const source = await a.source('one');
        expect(await receive(source, { bytesMax: 1 })).toHaveLength(1);
        expect(await receive(source, { bytesMax: 10 })).toHaveLength(2);
      });

      test('a leased message is not given to another process', async () => {
        await publish('mine');
        expect(await receive(await a.source('one'))).toHaveLength(1);
        await receiveNothing(await b.source('one'));
      });

      test('two processes share a subscription without getting the same message', async () => {
        const payloads = Array.from({ length: 30 }, (_, index) => String(index));
        await publish(...payloads);
        const sources = [await a.source('one'), await b.source('one')];
        const received: string[] = [];
        for (let turn = 0; received.length < payloads.length && turn < 60; turn += 1) {
          received.push(...texts(await receive(sources[turn % 2]!, { messagesMax: 3, waitMs: 60 })));
        }
        expect(received.toSorted()).toEqual(payloads.toSorted());
      });
    });

    describe('settling', () => {
      test('an acked message never comes again, also not after opening the bus again', async () => {
        await publish('once');
        const source = await a.source('one');
        await source.ack(await receive(source));
        await expire();
        await receiveNothing(source);
        await a.close();
        a = await bus.connect('a again');
        await receiveNothing(await a.source('one'));
      });

      test('of a group only what was acked is settled', async () => {
        await publish('1', '2', '3');
        const source = await a.source('one');
        const messages = await receiveAll(source, 3);
        await source.ack(messages.filter(({ payload }) => text(payload) !== '2'));
        await expire();
        expect(texts(await receive(source))).toEqual(['2']);
      });

      test('an ack settles for its own subscription alone', async () => {
        await publish('shared');
        const source = await a.source('one');
        await source.ack(await receive(source));
        expect(texts(await receive(await a.source('other')))).toEqual(['shared']);
      });

      test('what is neither acked nor extended comes again when its lease has run out', async () => {
        await publish('again');
        await receive(await a.source('one'));
        await expire();
        const [message] = await receive(await b.source('one'));
        expect(text(message!.payload)).toBe('again');
        expect([0, 2]).toContain(message!.deliveryAttempt);
      });

      test('extending keeps the lease', async () => {
        await publish('long work');
        const source = await a.source('one');
        const messages = await receive(source);
        await bus.advance(bus.ackDeadlineMs * 0.75);
        await source.extend(messages);
        await bus.advance(bus.ackDeadlineMs * 0.75);
        await receiveNothing(await b.source('one'));
        await source.ack(messages);
        await expire();
        await receiveNothing(await b.source('one'));
      });

      test('a nacked message comes again at once when no delay is asked for', async () => {
        await publish('back');
        const source = await a.source('one');
        await source.nack(await receive(source), 0);
        expect(texts(await receive(await b.source('one')))).toEqual(['back']);
      });

      test('a nacked message does not come before its delay, and comes after it', async () => {
        await publish('later');
        const source = await a.source('one');
        const delayMs = bus.nackDelayMs ?? 60_000;
        await source.nack(await receive(source), delayMs);
        await receiveNothing(source);
        await bus.advance(delayMs + marginMs);
        expect(texts(await receive(source))).toEqual(['later']);
      });

      test('an ack after the lease was lost does not settle what another has by now', async () => {
        await publish('contested');
        const [first, second] = [await a.source('one'), await b.source('one')];
        const late = await receive(first);
        await expire();
        expect(texts(await receive(second))).toEqual(['contested']);
        await first.ack(late);
        await expire();
        expect(texts(await receive(second))).toEqual(['contested']);
      });

      test('a nack or an extension after the lease was lost changes nothing', async () => {
        await publish('contested');
        const [first, second] = [await a.source('one'), await b.source('one')];
        const late = await receive(first);
        await expire();
        await receive(second);
        await first.nack(late, 0);
        await first.extend(late);
        await receiveNothing(first);
      });
    });

    describe('replay', () => {
      test('what was acked comes again from the given time on, under a new epoch', async () => {
        await publish('before');
        await bus.advance(5_000);
        const fromMs = bus.nowMs();
        await bus.advance(1_000);
        await publish('after');
        const source = await a.source('one');
        await source.ack(await receiveAll(source, 2));
        const epoch = await source.epoch();
        await a.replay('one', fromMs);
        expect(await source.epoch()).toBeGreaterThan(epoch);
        expect(texts(await receive(source))).toEqual(['after']);
      });

      test('an ack of a lease from before the replay does not settle what comes after it', async () => {
        await publish('twice');
        const source = await a.source('one');
        const early = await receive(source);
        await a.replay('one', 0);
        expect(texts(await receive(source))).toEqual(['twice']);
        await source.ack(early);
        await expire();
        expect(texts(await receive(source))).toEqual(['twice']);
      });

      test('a replay of one subscription leaves the other where it was', async () => {
        await publish('shared');
        const other = await a.source('other');
        await other.ack(await receive(other));
        const epoch = await other.epoch();
        await a.replay('one', 0);
        await receiveNothing(other);
        expect(await other.epoch()).toBe(epoch);
      });

      test('what waits is not lost by a replay from later', async () => {
        await publish('waiting');
        await a.replay('one', bus.nowMs() + 60_000);
        expect(texts(await receive(await a.source('one')))).toEqual(['waiting']);
      });
    });

    describe('new subscriptions', () => {
      test('begin with all that is kept, with what is new, or with a time', async () => {
        await publish('old');
        await bus.advance(5_000);
        const fromMs = bus.nowMs();
        await publish('recent');
        await bus.subscribe('from-start', 'start');
        await bus.subscribe('from-now', 'now');
        await bus.subscribe('from-time', { fromMs });
        await publish('new');
        expect(texts(await receiveAll(await a.source('from-start'), 3)).toSorted()).toEqual(['new', 'old', 'recent']);
        expect(texts(await receive(await a.source('from-now')))).toEqual(['new']);
        expect(texts(await receiveAll(await a.source('from-time'), 2)).toSorted()).toEqual(['new', 'recent']);
      });
    });

    describe('retry topics', () => {
      test('what is published to a subscription’s retry topic comes to that subscription alone', async () => {
        await a.publisher.publish([outgoing('once more', 'one.retry')]);
        const source = await a.source('one');
        const messages = await receive(source);
        expect(texts(messages)).toEqual(['once more']);
        await receiveNothing(await a.source('other'));
        await source.ack(messages);
        await expire();
        await receiveNothing(source);
      });
    });

    describe('deaths', () => {
      test('what a killed process published is there, and what it had leased comes again after the deadline', async () => {
        const payloads = ['survives 1', 'survives 2', 'survives 3'];
        const leased = await bus.dieHoldingLeases(payloads.map(bytes));
        expect(leased).toBe(3);
        const source = await a.source('one');
        await receiveNothing(source);
        await expire();
        expect(texts(await receiveAll(source, 3)).toSorted()).toEqual(payloads);
      });
    });

    /** Receives until so many have come: a broker may hand out a group in parts. */
    async function receiveAll(source: Source, count: number): Promise<LeasedMessage[]> {
      const messages: LeasedMessage[] = [];
      while (messages.length < count) {
        const more = await receive(source);
        if (more.length === 0) {
          break;
        }
        messages.push(...more);
      }
      expect(messages).toHaveLength(count);
      return messages;
    }
  });
}
