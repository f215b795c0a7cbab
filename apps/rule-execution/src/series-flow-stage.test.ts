import { decodeStoredNotice } from '@meterflow/contracts';
import { instantMsMax } from '@meterflow/registry';
import { ruleOf, seriesRuleOf } from '@meterflow/rules/testing';
import { IsolatedSandbox } from '@meterflow/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  tenant,
  hourMs,
  dayMs,
  firstMs,
  Pipeline,
  noticeOf,
  dayNotice,
  hours,
  readingsOf,
  step,
  flowWith,
  type Hours,
} from './testing/flow-pipeline.ts';

/** The mean of the same hour one and two weeks before. */
const likeDay = seriesRuleOf(
  `day.slots.forEach((slot, index) => {
    const before = [7, 14].map((days) => day.earlier(days).slots[index].value).filter((value) => value !== undefined);
    if (slot.value === undefined && before.length > 0) {
      slot.fill(before.reduce((sum, value) => sum + value, 0) / before.length, { method: 'like-day' });
    }
  });`,
  { lookBackDays: 14 },
  'like-day',
);
const total = seriesRuleOf(
  `const values = day.slots.flatMap(({ value }) => value ?? []);
  if (values.length > 0) day.emit('total', { startMs: day.startMs, endMs: day.endMs, value: values.reduce((sum, value) => sum + value, 0) });`,
  { emits: ['total'] },
  'total',
);

describe('series flows', () => {
  let sandbox: IsolatedSandbox;
  beforeAll(() => {
    sandbox = new IsolatedSandbox();
  });
  afterAll(() => sandbox.close());

  const week = 7 * dayMs;
  const gapAt3 = Array.from({ length: 24 }, (_, hour) => (hour === 3 ? null : hour));

  test('a gap is filled when its day is closed, and what emitted follows', async () => {
    const pipeline = new Pipeline(sandbox);
    await pipeline.activate(flowWith([step(likeDay), step(total)]));
    await pipeline.store(hours({ fromMs: firstMs - week, values: Array<number>(24).fill(100) }));
    await pipeline.store(hours({ fromMs: firstMs, values: gapAt3 }));
    expect((await pipeline.values())[3]).toBeNull();
    expect(await pipeline.values('total', firstMs, 1)).toEqual(['273']);
    await pipeline.close(firstMs + dayMs);
    expect((await pipeline.values()).slice(2, 5)).toEqual(['2', '100', '4']);
    expect(await pipeline.values('total', firstMs, 1)).toEqual(['373']);
    expect((await pipeline.lines()).filter((line) => line.includes('estimated'))).toHaveLength(1);
  });

  test('nothing goes through the stream of a channel that has a series flow, and all of the others does', async () => {
    const pipeline = new Pipeline(sandbox);
    await pipeline.activate(flowWith([step(ruleOf('reading.value *= 10'), '*'), step(likeDay)]));
    await pipeline.store(hours({ fromMs: firstMs, values: [1, 2], channel: 'export' }));
    await pipeline.store(hours({ fromMs: firstMs, values: [3, null, 5] }));
    expect((await pipeline.values('export')).slice(0, 2)).toEqual(['10', '20']);
    expect((await pipeline.values()).slice(0, 3)).toEqual(['30', null, '50']);
  });

  test('what is no longer filled or emitted is withdrawn: the estimate when the reading comes, all on another flow', async () => {
    const pipeline = new Pipeline(sandbox);
    await pipeline.activate(flowWith([step(likeDay), step(total)]));
    await pipeline.store(hours({ fromMs: firstMs - week, values: Array<number>(24).fill(100) }));
    await pipeline.store(hours({ fromMs: firstMs, values: gapAt3 }));
    await pipeline.close(firstMs + dayMs);
    await pipeline.store(hours({ fromMs: firstMs + 3 * hourMs, values: [7], acceptedAtMs: 2 }));
    expect((await pipeline.values()).slice(2, 5)).toEqual(['2', '7', '4']);
    await pipeline.store(hours({ fromMs: firstMs + dayMs + 3 * hourMs, values: [1] }));
    await pipeline.close(firstMs + 2 * dayMs);
    // Activation 2 is a reading flow: the reprocess of its span is told as readings stamped below it.
    await pipeline.activate(flowWith([step(ruleOf('reading.value += 1'))]));
    await pipeline.tell([dayNotice(firstMs - week, firstMs + 2 * dayMs, ['import'])]);
    expect(await pipeline.values('total', firstMs, 25)).toEqual(Array(25).fill(null));
    expect((await pipeline.values()).slice(2, 5)).toEqual(['3', '8', '5']);
    expect(await pipeline.values('import', firstMs + dayMs, 5)).toEqual([null, null, null, '2', null]);
  });

  test('a batch stamped below an activation that counts for it is computed anew when it is stored', async () => {
    const pipeline = new Pipeline(sandbox);
    await pipeline.activate(flowWith([step(ruleOf('reading.value += 1'))]));
    await pipeline.activate(flowWith([step(ruleOf('reading.value += 2'))]), {
      fromMs: firstMs + 2 * hourMs,
      toMs: instantMsMax,
    });
    await pipeline.store(hours({ fromMs: firstMs, values: [0, 0, 0, 0], activation: 1 }));
    expect((await pipeline.values()).slice(0, 4)).toEqual(['1', '1', '2', '2']);
    // Nothing is to be done for a batch of the newest stamp.
    expect(await pipeline.tell([noticeOf(hours({ fromMs: firstMs, values: [0], activation: 2 }))])).toBe(0);
  });

  test('a channel that is read makes the days of its reader due', async () => {
    const pipeline = new Pipeline(sandbox);
    const net = seriesRuleOf(
      `day.slots.forEach((slot, index) => {
        const out = day.other('export').slots[index]?.value;
        if (slot.value !== undefined && out !== undefined) day.emit('net', { startMs: slot.startMs, value: slot.value - out });
      });`,
      { reads: ['export'], emits: ['net'] },
    );
    await pipeline.activate(flowWith([step(net)]));
    await pipeline.store(hours({ fromMs: firstMs, values: [5, 6] }));
    expect(await pipeline.values('net', firstMs, 2)).toEqual([null, null]);
    await pipeline.store(hours({ fromMs: firstMs, values: [1, 2], channel: 'export' }));
    expect(await pipeline.values('net', firstMs, 2)).toEqual(['4', '4']);
  });

  describe('a channel that a rule makes', () => {
    const net = seriesRuleOf(
      `day.slots.forEach((slot) => { if (slot.value !== undefined) day.emit('net', { startMs: slot.startMs, value: slot.value * 10 }); });`,
      { emits: ['net'] },
    );
    const filler = seriesRuleOf(
      'day.slots.forEach((slot) => { if (slot.value === undefined) slot.fill(7); });',
      {},
      'filler',
    );
    const sent = hours({ fromMs: firstMs, values: [null, 99], channel: 'net' });
    const made = hours({ fromMs: firstMs, values: [1, 2, 3] });

    test.each([
      ['before', [sent, made]],
      ['after', [made, sent]],
      ['in between, and again', [made, sent, made]],
    ])('what a provider sends of it counts, sent %s what is made', async (_, batches) => {
      const pipeline = new Pipeline(sandbox);
      await pipeline.activate(flowWith([step(net), step(filler, 'net')]));
      for (const batch of batches) {
        await pipeline.store(batch);
      }
      expect(await pipeline.values('net', firstMs, 4)).toEqual(['10', '99', '30', null]);
      await pipeline.close(firstMs + dayMs, ['net', 'import']);
      await pipeline.tell([noticeOf(sent)]);
      // Its gaps are not filled: of two that made the same reading, whoever came last would count.
      expect(await pipeline.values('net', firstMs, 4)).toEqual(['10', '99', '30', null]);
      await pipeline.store(hours({ fromMs: firstMs, values: [5], acceptedAtMs: 2 }));
      expect(await pipeline.values('net', firstMs, 4)).toEqual(['50', '99', '30', null]);
      await pipeline.activate(flowWith([step(filler, 'export')]));
      await pipeline.tell([dayNotice(firstMs, firstMs + dayMs, ['import', 'net'])]);
      expect(await pipeline.values('net', firstMs, 4)).toEqual([null, '99', null, null]);
    });
  });

  test('a channel that another one makes by now keeps what that made, though the former maker withdraws its own last', async () => {
    const pipeline = new Pipeline(sandbox);
    const made = (factor: number): ReturnType<typeof seriesRuleOf> =>
      seriesRuleOf(
        `day.slots.forEach((slot) => { if (slot.value !== undefined) day.emit('net', { startMs: slot.startMs, value: slot.value * ${factor} }); });`,
        { emits: ['net'] },
      );
    await pipeline.activate(flowWith([step(made(10))]));
    await pipeline.store(hours({ fromMs: firstMs, values: [1] }));
    await pipeline.store(hours({ fromMs: firstMs, values: [2], channel: 'export' }));
    expect(await pipeline.values('net', firstMs, 1)).toEqual(['10']);
    await pipeline.activate(flowWith([step(made(100), 'export')]));
    const tell = (channel: string): Promise<number> => pipeline.tell([dayNotice(firstMs, firstMs + dayMs, [channel])]);
    const store = await pipeline.storingLater(() => tell('export'));
    await tell('import');
    await store();
    expect(await pipeline.values('net', firstMs, 1)).toEqual(['200']);
  });

  describe('what is still on its way into the store', () => {
    const constant = seriesRuleOf(
      'day.slots.forEach((slot) => { if (slot.value === undefined) slot.fill(7); });',
      {},
      'constant',
    );
    const otherTotal = seriesRuleOf(
      'day.emit("other", { startMs: day.startMs, endMs: day.endMs, value: 1 });',
      { emits: ['other'] },
      'other-total',
    );
    const high = ruleOf('if (reading.value > 50) reading.annotate("high")');
    const sent = hours({ fromMs: firstMs, values: gapAt3 });
    const day = dayNotice(firstMs, firstMs + dayMs, ['import']);
    const closed = async (pipeline: Pipeline): Promise<void> => {
      await pipeline.closedDays.raise(tenant, 'UTC', { closedThroughMs: firstMs + dayMs });
      await pipeline.keep(sent);
    };

    test.each([
      ['without the rule', [step(high), step(likeDay)]],
      ['of a reading flow', [step(high)]],
      ['of a rule that makes another channel', [step(otherTotal)]],
    ])('a later activation %s withdraws it', async (_, steps) => {
      const pipeline = new Pipeline(sandbox);
      await pipeline.activate(flowWith([step(constant), step(total)]));
      await closed(pipeline);
      const store = await pipeline.storingLater(() => pipeline.tell([noticeOf(sent)]));
      await pipeline.activate(flowWith(steps));
      await pipeline.tell([day]);
      await store();
      expect(await pipeline.values('total', firstMs, 1)).toEqual([null]);
      expect((await pipeline.values()).slice(2, 5)).toEqual(['2', null, '4']);
    });

    test('all of several runs is withdrawn, also where the one that withdrew it first ended before it said so', async () => {
      const pipeline = new Pipeline(sandbox);
      await pipeline.activate(flowWith([step(constant)]));
      await closed(pipeline);
      const storeFirst = await pipeline.storingLater(() => pipeline.tell([noticeOf(sent)]));
      await pipeline.activate(flowWith([step(total)]));
      // What it made and withdrew is lost, but for what it wrote down; its notice comes again.
      await pipeline.storingLater(() => pipeline.tell([day]));
      await pipeline.activate(flowWith([step(high)]));
      await pipeline.tell([day]);
      await storeFirst();
      expect(await pipeline.values('total', firstMs, 1)).toEqual([null]);
      expect((await pipeline.values()).slice(2, 5)).toEqual(['2', null, '4']);
    });

    test('a run that another one overtook, without knowing what it makes, runs again', async () => {
      const pipeline = new Pipeline(sandbox);
      await pipeline.activate(flowWith([step(constant), step(total)]));
      await closed(pipeline);
      const another = async (): Promise<void> => {
        await pipeline.activate(flowWith([step(likeDay)]));
        await pipeline.tell([day]);
      };
      await pipeline.meanwhile(another, () => pipeline.tell([noticeOf(sent)]));
      expect(pipeline.overtaken).toBe(1);
      expect(await pipeline.values('total', firstMs, 1)).toEqual([null]);
      expect((await pipeline.values()).slice(2, 5)).toEqual(['2', null, '4']);
    });

    test('a run that makes nothing but what a later one states as well goes on', async () => {
      const pipeline = new Pipeline(sandbox);
      await pipeline.activate(flowWith([step(constant), step(total)]));
      await closed(pipeline);
      const corrected = hours({ fromMs: firstMs, values: [50], acceptedAtMs: 2 });
      await pipeline.meanwhile(
        () => pipeline.store(corrected),
        () => pipeline.tell([noticeOf(sent)]),
      );
      expect(pipeline.overtaken).toBe(0);
      expect(await pipeline.values('total', firstMs, 1)).toEqual(['330']);
    });

    test('what another channel under the same glob made as well is not withdrawn with it', async () => {
      const pipeline = new Pipeline(sandbox);
      const net = seriesRuleOf(
        `day.slots.forEach((slot) => { if (slot.value !== undefined) day.emit('net', { startMs: slot.startMs, value: slot.value }); });`,
        { emits: ['net'] },
      );
      await pipeline.activate(flowWith([step(net, 'import*')]));
      const first = hours({ fromMs: firstMs, values: [1], channel: 'import-1' });
      await pipeline.store(hours({ fromMs: firstMs, values: [2], channel: 'import-2' }));
      await pipeline.keep(first);
      const store = await pipeline.storingLater(() => pipeline.tell([noticeOf(first)]));
      await pipeline.store(readingsOf('import-1', [[firstMs, undefined]], { lengthMs: hourMs, acceptedAtMs: 2 }));
      expect(await pipeline.values('net', firstMs, 1)).toEqual(['2']);
      // Its own, stored after all, is withdrawn by the next run, and the other channel's next run makes it anew.
      await store();
      const tell = (channel: string): Promise<number> =>
        pipeline.tell([dayNotice(firstMs, firstMs + dayMs, [channel])]);
      await tell('import-1');
      expect(await pipeline.values('net', firstMs, 1)).toEqual([null]);
      await tell('import-2');
      expect(await pipeline.values('net', firstMs, 1)).toEqual(['2']);
    });

    test('days of a former zone that are on their way are withdrawn', async () => {
      const pipeline = new Pipeline(sandbox);
      await pipeline.activate(flowWith([step(total)]));
      await pipeline.keep(sent);
      const store = await pipeline.storingLater(() => pipeline.tell([noticeOf(sent)]));
      await pipeline.series.setDefault(tenant, { timeZone: 'Asia/Tokyo' });
      await pipeline.tell([dayNotice(firstMs - dayMs, firstMs + 2 * dayMs, ['import'])]);
      await store();
      const starts = (await pipeline.lines('total')).map((line) => (JSON.parse(line) as { start: string }).start);
      expect(starts).toEqual(['2024-03-03T15:00:00Z', '2024-03-04T15:00:00Z']);
    });

    test('what is open, of a flow that emits nothing, is not written down', async () => {
      const pipeline = new Pipeline(sandbox);
      await pipeline.activate(flowWith([step(constant)]));
      await pipeline.store(sent);
      const page = { prefix: `${tenant}/days-made/`, limit: 10 };
      expect(await pipeline.registry.list('setting', page)).toEqual([]);
      await pipeline.close(firstMs + dayMs);
      expect(await pipeline.registry.list('setting', page)).toHaveLength(1);
    });
  });

  test('a day has the length that is registered for its time, whatever holds now', async () => {
    const pipeline = new Pipeline(sandbox);
    const series = { meter: 'm1', channel: 'import' };
    await pipeline.series.set(tenant, series, { intervalMs: hourMs });
    const validity = { fromMs: firstMs + dayMs, toMs: instantMsMax };
    await pipeline.series.state(tenant, series, { facts: { intervalMs: 6 * hourMs }, validity });
    const counted = seriesRuleOf(
      'day.slots.forEach((slot) => { if (slot.value !== undefined) slot.value = day.slots.length; });',
    );
    await pipeline.activate(flowWith([step(counted)]));
    for (const nowMs of [firstMs, firstMs + 9 * dayMs]) {
      pipeline.nowMs = nowMs;
      await pipeline.store(hours({ fromMs: firstMs, values: [1] }));
      await pipeline.store(readingsOf('import', [[firstMs + dayMs, 1]], { lengthMs: 6 * hourMs }));
      expect([
        ...(await pipeline.values('import', firstMs, 1)),
        ...(await pipeline.values('import', firstMs + dayMs, 1)),
      ]).toEqual(['24', '4']);
    }
  });

  test('tags of the registry reach the rules that name them', async () => {
    const pipeline = new Pipeline(sandbox);
    await pipeline.series.set(tenant, { meter: 'm1', channel: 'import' }, { tags: { multiplier: 40 } });
    const multiplied = seriesRuleOf(
      'day.slots.forEach((slot) => { if (slot.value !== undefined) slot.value *= context.tags.multiplier; })',
      { tags: ['multiplier'] },
    );
    await pipeline.activate(flowWith([step(multiplied)]));
    await pipeline.store(hours({ fromMs: firstMs, values: [1, 2] }));
    expect((await pipeline.values()).slice(0, 2)).toEqual(['40', '80']);
  });

  describe('a rule that fails on a day', () => {
    const failing = seriesRuleOf(`if (day.slots[0].value === 13) throw new Error('no'); day.slots[0].value += 1`);

    test('skip: the raw values pass, with the reason, until a genuine result replaces them', async () => {
      const pipeline = new Pipeline(sandbox);
      await pipeline.activate(flowWith([step(failing)], 'skip'));
      await pipeline.store(hours({ fromMs: firstMs, values: [13, 2] }));
      expect((await pipeline.lines())[0]).toContain('rule-failed:rule-threw');
      expect((await pipeline.values()).slice(0, 2)).toEqual(['13', '2']);
      await pipeline.store(hours({ fromMs: firstMs, values: [1], acceptedAtMs: 2 }));
      expect((await pipeline.values()).slice(0, 2)).toEqual(['2', '2']);
      expect((await pipeline.lines()).join()).not.toContain('rule-failed');
    });

    test('reject: absences beside a dead letter that computes the day again', async () => {
      const pipeline = new Pipeline(sandbox);
      await pipeline.activate(flowWith([step(failing)], 'reject'));
      await pipeline.store(hours({ fromMs: firstMs, values: [13, 2] }));
      expect((await pipeline.lines()).filter((line) => line.includes('"value":null'))).toHaveLength(2);
      expect(pipeline.refused.map(({ code }) => code)).toEqual(['readings-rejected']);
    });

    test('halt: the day is parked, others go on; released it is computed under the flow of then', async () => {
      const pipeline = new Pipeline(sandbox);
      await pipeline.activate(flowWith([step(failing)], 'halt'));
      await pipeline.store(hours({ fromMs: firstMs, values: [13, ...Array<number>(24).fill(2)] }));
      expect((await pipeline.values('import', firstMs, 25)).map((value) => value === null)).toEqual([
        ...Array<boolean>(24).fill(true),
        false,
      ]);
      expect(pipeline.refused.map(({ code }) => code)).toEqual(['rule-threw']);
      await pipeline.activate(flowWith([step(total)]));
      await pipeline.tell([decodeStoredNotice(pipeline.refused[0]!.payload)]);
      expect((await pipeline.values()).slice(0, 2)).toEqual(['13', '2']);
    });

    test('halt: a flow that counts for nothing of a day any more halts it no more', async () => {
      const pipeline = new Pipeline(sandbox);
      const span = { fromMs: firstMs - dayMs, toMs: instantMsMax };
      await pipeline.activate(flowWith([step(failing)], 'halt'), span);
      await pipeline.store(hours({ fromMs: firstMs, values: [13, 2] }));
      await pipeline.activate(flowWith([step(total)]), span);
      await pipeline.tell([decodeStoredNotice(pipeline.refused[0]!.payload)]);
      expect(pipeline.refused).toHaveLength(1);
      expect((await pipeline.values()).slice(0, 2)).toEqual(['13', '2']);
      // Where it counts for a part of the day, it does.
      await pipeline.activate(flowWith([step(failing)], 'halt'), { ...span, fromMs: firstMs + hourMs });
      await pipeline.store(hours({ fromMs: firstMs, values: [13, 4], acceptedAtMs: 2 }));
      expect(pipeline.refused).toHaveLength(2);
    });
  });

  test('law: any order of arrival, batching and repetition ends in the same export', { timeout: 120_000 }, async () => {
    const flow = flowWith([
      step(ruleOf('if (reading.value > 50) reading.annotate("high")')),
      step(likeDay),
      step(total),
    ]);
    // Two weeks of history, one day with gaps, one of which nothing comes, and a correction.
    const pieces: readonly Hours[] = [
      {
        fromMs: firstMs - 2 * week,
        values: Array.from({ length: 24 }, (_, hour) => (hour % 5 === 0 ? null : hour * 3)),
      },
      { fromMs: firstMs - week, values: Array.from({ length: 24 }, (_, hour) => (hour === 3 ? null : 60 - hour)) },
      { fromMs: firstMs - week + dayMs, values: Array<number>(24).fill(9) },
      { fromMs: firstMs, values: [1, 2, null, null, 5] },
      { fromMs: firstMs + 12 * hourMs, values: [12, null, 14] },
      { fromMs: firstMs, values: [8, null, 3], acceptedAtMs: 2 },
    ];
    const finish = async (pipeline: Pipeline): Promise<string[]> => [
      ...(await pipeline.lines()),
      ...(await pipeline.lines('total')),
    ];
    const orderly = new Pipeline(sandbox);
    await orderly.activate(flow);
    for (const piece of pieces) {
      await orderly.store(hours(piece));
    }
    await orderly.close(firstMs + dayMs);
    await orderly.close(firstMs + 2 * dayMs);
    const expected = await finish(orderly);
    expect(expected.filter((line) => line.includes('estimated')).length).toBeGreaterThan(10);

    const arrivals = fc.shuffledSubarray([...pieces.keys(), -1, -2, ...pieces.keys()], {
      minLength: pieces.length * 2 + 2,
    });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.boolean(), async (order, regroups) => {
        const pipeline = new Pipeline(sandbox);
        await pipeline.activate(flow);
        let closedThroughMs = firstMs;
        for (const index of order) {
          const piece = pieces[index];
          if (piece === undefined) {
            // Days close in their order, whatever the order of what comes.
            closedThroughMs += dayMs;
            await pipeline.close(closedThroughMs);
          } else {
            await pipeline.store(hours(piece));
          }
        }
        if (regroups) {
          // Redelivered together, in one group.
          await pipeline.tell(
            order.flatMap((index) => (pieces[index] === undefined ? [] : [noticeOf(hours(pieces[index]))])),
          );
        }
        expect(await finish(pipeline)).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });
});
