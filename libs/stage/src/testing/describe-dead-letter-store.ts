import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeadLetterStore } from '../dead-letter-store.ts';
import type { DeadLetter } from '../dead-letters.ts';
import type { OutgoingMessage } from '../message.ts';

/** A store of its own, empty. */
export interface DeadLetterStoreUnderTest {
  readonly letters: DeadLetterStore;
  /** Another process's view of the same store. */
  reopen(): Promise<DeadLetterStore>;
  close(): Promise<void>;
}

export function deadLetter(number: number, change: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: `persistence/k${number}`,
    state: 'dead',
    stage: 'persistence',
    subscription: 's',
    key: `k${number}`,
    tenant: 'default',
    reasonCode: 'invalid-batch',
    reason: 'It says 5 readings and holds 4.',
    payload: new Uint8Array([number, 2, 3]),
    attributes: { tenant: 'default' },
    atMs: 1_000 + number,
    causes: [{ sourceId: 'file-1.1', key: `accepted${number}`, part: 0, parts: 1 }],
    layers: ['validated', 'hour'],
    ...change,
  };
}

const idsOf = (lines: readonly { readonly id: string }[]): string[] => lines.map(({ id }) => id);

/** What every store of dead letters promises. */
export function describeDeadLetterStore(name: string, open: () => Promise<DeadLetterStoreUnderTest>): void {
  describe(`${name} as a store of dead letters`, () => {
    let subject: DeadLetterStoreUnderTest;
    let letters: DeadLetterStore;
    let published: OutgoingMessage[];
    const publisher = {
      publish: (messages: readonly OutgoingMessage[]): Promise<void> => {
        published.push(...messages);
        return Promise.resolve();
      },
    };

    beforeEach(async () => {
      subject = await open();
      letters = subject.letters;
      published = [];
    });

    afterEach(() => subject.close());

    test('a dead letter is shown to every process as it was put', async () => {
      const causes = [
        { sourceId: 'file-1.1', key: 'a', part: 0, parts: 2 },
        { sourceId: 'file-1.1', key: 'a', part: 1, parts: 2 },
        { sourceId: 'file-2.1', key: 'b', part: 0, parts: 1 },
      ];
      await letters.put([deadLetter(1, { causes, state: 'parked' })]);
      const shown = await (await subject.reopen()).show('persistence/k1');
      const anything: unknown = expect.anything();
      expect(shown).toEqual({ ...deadLetter(1, { causes, state: 'parked' }), payload: anything, layers: anything });
      expect([...(shown?.payload ?? [])]).toEqual([1, 2, 3]);
      expect(shown?.layers.toSorted()).toEqual(['hour', 'validated']);
    });

    test('the same failure twice is one dead letter, the later one', async () => {
      await letters.put([deadLetter(1), deadLetter(2)]);
      await letters.put([deadLetter(1, { reason: 'again', atMs: 9_000, layers: ['day'] })]);
      expect(idsOf(await letters.list({ limit: 10 }))).toEqual(['persistence/k1', 'persistence/k2']);
      expect(await letters.show('persistence/k1')).toMatchObject({ reason: 'again', layers: ['day'] });
    });

    test('lists are filtered, newest first, and go on after a line', async () => {
      await letters.put([
        deadLetter(1),
        deadLetter(2, { tenant: 'acme' }),
        deadLetter(3, { state: 'parked', reasonCode: 'halted' }),
        deadLetter(4, { id: 'rules/k4', stage: 'rules' }),
        deadLetter(5, { atMs: 1_004 }),
      ]);
      expect(idsOf(await letters.list({ limit: 10, tenant: 'acme' }))).toEqual(['persistence/k2']);
      expect(idsOf(await letters.list({ limit: 10, state: 'parked' }))).toEqual(['persistence/k3']);
      expect(idsOf(await letters.list({ limit: 10, reasonCode: 'halted', state: 'dead' }))).toEqual([]);
      expect(idsOf(await letters.list({ limit: 10, stage: 'rules' }))).toEqual(['rules/k4']);
      const first = await letters.list({ limit: 2 });
      expect(idsOf(first)).toEqual(['rules/k4', 'persistence/k5']);
      const second = await letters.list({ limit: 2, before: first[1]! });
      expect(idsOf(second)).toEqual(['persistence/k3', 'persistence/k2']);
      const within = await letters.list({ limit: 2, before: first[0]! });
      expect(idsOf(within)).toEqual(['persistence/k5', 'persistence/k3']);
      expect(first[0]).toMatchObject({ payloadBytes: 3, reasonCode: 'invalid-batch' });
      expect(await letters.counts()).toEqual({ dead: 4, parked: 1, purged: 0 });
    });

    test('a retried letter is published once more for its subscription alone, and is gone', async () => {
      await letters.put([deadLetter(1), deadLetter(2)]);
      expect(await letters.retry(['persistence/k1', 'unknown'], { publisher })).toEqual(['persistence/k1']);
      expect(published.map(({ topic, payload }) => [topic, ...payload])).toEqual([['s.retry', 1, 2, 3]]);
      expect(published[0]?.attributes).toEqual({ tenant: 'default' });
      expect(idsOf(await letters.list({ limit: 10 }))).toEqual(['persistence/k2']);
      expect(await letters.show('persistence/k1')).toBeUndefined();
    });

    test('a retry may stamp the payload anew', async () => {
      await letters.put([deadLetter(1, { state: 'parked' })]);
      const restamp = ({ payload }: DeadLetter): Uint8Array => payload.map((byte) => byte + 100);
      await letters.retry(['persistence/k1'], { publisher, restamp });
      expect([...(published[0]?.payload ?? [])]).toEqual([101, 102, 103]);
    });

    test('a retry that can’t be published keeps the letter', async () => {
      await letters.put([deadLetter(1)]);
      const publish = (): Promise<void> => Promise.reject(new Error('down'));
      await expect(letters.retry(['persistence/k1'], { publisher: { publish } })).rejects.toThrow('down');
      expect(await letters.show('persistence/k1')).toMatchObject({ key: 'k1' });
    });

    test('a letter that came again while it was retried stays', async () => {
      await letters.put([deadLetter(1)]);
      const publish = (): Promise<void> => letters.put([deadLetter(1, { atMs: 9_999 })]);
      await letters.retry(['persistence/k1'], { publisher: { publish } });
      expect(await letters.show('persistence/k1')).toMatchObject({ atMs: 9_999 });
      expect(idsOf(await letters.list({ limit: 10 }))).toEqual(['persistence/k1']);
    });

    test('a purged letter keeps its line and nothing of its payload', async () => {
      await letters.put([deadLetter(1), deadLetter(2, { state: 'parked' })]);
      expect(await letters.purge(['persistence/k1', 'unknown'])).toEqual(['persistence/k1']);
      expect(await letters.purge(['persistence/k1'])).toEqual([]);
      expect(await letters.retry(['persistence/k1'], { publisher })).toEqual([]);
      expect(await letters.show('persistence/k1')).toBeUndefined();
      expect(await letters.list({ limit: 10, state: 'purged' })).toMatchObject([{ payloadBytes: 0, key: 'k1' }]);
    });

    test('a purged letter stays purged when the same is put once more', async () => {
      await letters.put([deadLetter(1)]);
      await letters.purge(['persistence/k1']);
      await letters.put([deadLetter(1, { atMs: 9_000 }), deadLetter(2)]);
      expect(await letters.show('persistence/k1')).toBeUndefined();
      expect(await letters.counts()).toEqual({ dead: 1, parked: 0, purged: 1 });
      const [, line] = await letters.list({ limit: 2 });
      expect(line).toMatchObject({ id: 'persistence/k1', state: 'purged', payloadBytes: 0, reason: '' });
    });
  });
}
