import { BatchBuilder, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';
import type { DeadLetter, DeadLetterStore, ErasableLetters } from '@meterflow/stage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeReadingBatch, encodeReadingBatch } from '../reading-batch.ts';
import { messageAttributes } from '../topics.ts';

type Letters = DeadLetterStore & ErasableLetters;

/** A store of its own, empty. */
export interface ErasableLettersUnderTest {
  readonly letters: Letters;
  /** Another process's view of the same store. */
  reopen(): Promise<Letters>;
  /** Where calls of one process block each other, they come one after the other. */
  readonly oneAtATime?: boolean;
  close(): Promise<void>;
}

function batchOf(meters: readonly string[], acceptedAtMs: number): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  meters.forEach((meter, index) => {
    row.series = builder.series(meter, 'import');
    row.unit = builder.text('kWh');
    row.version = builder.version(rawVersion(0, acceptedAtMs));
    row.startMs = 1_800_000 * index;
    row.lengthMs = 1_800_000;
    row.integer = 100 + index;
    row.decimals = 3;
    row.line = 2 + index * 3;
    builder.append(row);
  });
  return builder.finish({ tenant: 'acme', layer: 'raw', sourceId: 's.1', acceptedAtMs, activation: 1 });
}

function letterOf(id: string, batch: ReadingBatch): DeadLetter {
  return {
    ...{ id, state: 'dead', stage: 'rule-execution', subscription: 's', key: id, tenant: batch.tenant, atMs: 9_000 },
    ...{ reasonCode: 'halted', reason: `halted by ${batch.series[0]?.meter ?? ''}`, layers: ['validated'] },
    payload: encodeReadingBatch(batch),
    attributes: messageAttributes('ReadingBatch', batch.tenant),
    causes: [{ sourceId: 's.1', key: id, part: 0, parts: 1 }],
  };
}

const erasure = { tenant: 'acme', upToMs: 5_000, ticket: 9 };
const m1 = { ...erasure, series: { meter: 'm1' } };
const m2 = { ...erasure, series: { meter: 'm2' } };

/** What every store of dead letters promises that can erase. */
export function describeLetterErasure(name: string, open: () => Promise<ErasableLettersUnderTest>): void {
  describe(`${name}: erasure of dead letters`, () => {
    let subject: ErasableLettersUnderTest;
    let letters: Letters;

    beforeEach(async () => {
      subject = await open();
      letters = subject.letters;
    });

    afterEach(() => subject.close());

    const metersOf = async (id: string): Promise<string[]> => {
      const payload = (await letters.show(id))?.payload;
      return payload === undefined ? [] : decodeReadingBatch(payload).series.map(({ meter }) => meter);
    };

    test('of a tenant purges its payloads and reasons, and no others', async () => {
      await letters.put([
        letterOf('a', batchOf(['m1'], 1_000)),
        { ...letterOf('b', batchOf(['m1'], 1_000)), tenant: 'other' },
      ]);
      expect(await letters.found(erasure)).toBe(1);
      expect(await letters.erase(erasure)).toEqual({ purged: 1, reduced: 0 });
      expect(await letters.found(erasure)).toBe(0);
      expect(await letters.show('a')).toBeUndefined();
      expect(await letters.show('b')).toBeDefined();
      expect(await letters.list({ limit: 9, tenant: 'acme' })).toMatchObject([{ state: 'purged', reason: '' }]);
    });

    test('of a meter leaves the other readings of a batch, each in its line, and the batch as the ledger knows it', async () => {
      const batch = batchOf(['m1', 'm2', 'm1', 'm3'], 1_000);
      await letters.put([
        letterOf('a', batch),
        letterOf('b', batchOf(['m1'], 1_000)),
        letterOf('c', batchOf(['m2'], 1_000)),
      ]);
      expect(await letters.erase(m1)).toEqual({ purged: 1, reduced: 1 });
      const left = decodeReadingBatch((await letters.show('a'))?.payload ?? new Uint8Array());
      expect(left.series.map(({ meter }) => meter)).toEqual(['m2', 'm3']);
      expect([...left.columns.values]).toEqual([101, 103]);
      expect([...left.columns.spans.startMs]).toEqual([1_800_000, 5_400_000]);
      expect([left.firstLine, [...left.lineDeltas.values]]).toEqual([5, [0, 6]]);
      expect(left.cause).toMatchObject({ sourceId: 's.1', part: 0, parts: 1 });
      const [line] = (await letters.list({ limit: 9 })).filter(({ id }) => id === 'a');
      expect(line).toMatchObject({ state: 'dead', reason: '' });
      expect(await letters.found(m1)).toBe(0);
      expect(await letters.erase(m1)).toEqual({ purged: 0, reduced: 0 });
    });

    test('a parked batch that is reduced can still be released, one that is purged can not', async () => {
      await letters.put([
        { ...letterOf('a', batchOf(['m1', 'm2'], 1_000)), state: 'parked' },
        { ...letterOf('b', batchOf(['m1'], 1_000)), state: 'parked' },
      ]);
      expect(await letters.erase(m1)).toEqual({ purged: 1, reduced: 1 });
      const published: Uint8Array[] = [];
      const publisher = {
        publish: (messages: readonly { readonly payload: Uint8Array }[]): Promise<void> => {
          published.push(...messages.map(({ payload }) => payload));
          return Promise.resolve();
        },
      };
      expect(await letters.retry(['a', 'b'], { publisher })).toEqual(['a']);
      expect(published.map((payload) => decodeReadingBatch(payload).series)).toEqual([
        [{ meter: 'm2', channel: 'import' }],
      ]);
    });

    test('what is put later about what was erased loses it too; what was accepted later stays', async () => {
      await letters.erase(m1);
      const later = await subject.reopen();
      await later.put([letterOf('old', batchOf(['m1', 'm2'], 5_000)), letterOf('new', batchOf(['m1', 'm2'], 5_001))]);
      expect(await metersOf('old')).toEqual(['m2']);
      expect(await metersOf('new')).toEqual(['m1', 'm2']);
    });

    test('a letter that was reduced and comes once more is reduced again', async () => {
      const letter = letterOf('a', batchOf(['m1', 'm2'], 1_000));
      await letters.put([letter]);
      await letters.erase(m1);
      await letters.put([letter]);
      expect(await metersOf('a')).toEqual(['m2']);
      expect(await letters.found(m1)).toBe(0);
    });

    test('two erasures at once, and a letter put meanwhile, leave nothing of either', async () => {
      const [one, other] = [await subject.reopen(), await subject.reopen()];
      await letters.put([letterOf('a', batchOf(['m1', 'm2', 'm3'], 1_000))]);
      const works = [
        () => one.erase(m1),
        () => other.erase(m2),
        () => letters.put([letterOf('b', batchOf(['m1', 'm3'], 1_000))]),
      ];
      if (subject.oneAtATime === true) {
        for (const work of works) {
          await work();
        }
      } else {
        await Promise.all(works.map((work) => work()));
      }
      expect(await metersOf('a')).toEqual(['m3']);
      expect(await metersOf('b')).toEqual(['m3']);
    });

    test('an older erasure after a newer one takes nothing back', async () => {
      await letters.erase(m1);
      await letters.erase({ ...m1, upToMs: 3_000, ticket: 3 });
      await letters.put([letterOf('a', batchOf(['m1', 'm2'], 4_000))]);
      expect(await metersOf('a')).toEqual(['m2']);
    });

    test('what can not be read goes with what is there, and stays when it comes later', async () => {
      const unreadable = { ...letterOf('a', batchOf(['m2'], 1_000)), payload: new Uint8Array([1, 2, 3]) };
      await letters.put([unreadable]);
      expect(await letters.erase(m1)).toEqual({ purged: 1, reduced: 0 });
      await letters.put([{ ...unreadable, id: 'b' }]);
      expect(await letters.show('b')).toBeDefined();
    });
  });
}
