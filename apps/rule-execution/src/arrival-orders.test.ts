import { calendarOf } from '@meterflow/aggregates';
import type { StoredNotice } from '@meterflow/readings';
import { instantMsMax, type SeriesSettingsPart } from '@meterflow/registry';
import { flowProblems, type Flow } from '@meterflow/rules';
import { ruleOf, seriesRuleOf } from '@meterflow/rules/testing';
import { IsolatedSandbox } from '@meterflow/sandbox';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  all,
  dayMs,
  firstMs,
  flowWith,
  hourMs,
  noticeOf,
  Pipeline,
  readingsOf,
  step,
  tenant,
} from './testing/flow-pipeline.ts';

// What arrives in whatever order, in whatever units; closed days, activations, reprocesses and other settings in between: it
// ends in the same canonical lines.

/** The mean of the same slot two and three days before. */
const likeDay = seriesRuleOf(
  `day.slots.forEach((slot, index) => {
    const before = [2, 3].map((days) => day.earlier(days).slots[index]?.value).filter((value) => value !== undefined);
    if (slot.value === undefined && before.length > 0) {
      slot.fill(before.reduce((sum, value) => sum + value, 0) / before.length, { method: 'like-day' });
    }
  });`,
  { lookBackDays: 3 },
  'like-day',
);
/** Between the last value of the day before, or the day, and the first after: the day itself or the next. */
const interpolate = seriesRuleOf(
  `const around = [...day.earlier(1).slots, ...day.slots, ...day.later(1).slots];
  const before = day.earlier(1).slots.length;
  day.slots.forEach((slot, index) => {
    if (slot.value !== undefined) return;
    const at = before + index;
    let left = at - 1;
    while (left >= 0 && around[left].value === undefined) left -= 1;
    let right = at + 1;
    while (right < around.length && around[right].value === undefined) right += 1;
    if (left < 0 || right >= around.length) return;
    const [from, to] = [around[left].value, around[right].value];
    slot.fill(from + ((to - from) * (at - left)) / (right - left), { method: 'interpolated' });
  });`,
  { lookBackDays: 1, lookAheadDays: 1 },
  'interpolate',
);
/** What a gap has of which nothing is known. */
const constant = seriesRuleOf(
  'day.slots.forEach((slot) => { if (slot.value === undefined) slot.fill(7, { method: "constant" }); });',
  {},
  'constant',
);
/** What a day's values are of its sum, in percent: one that comes changes all. */
const scaled = seriesRuleOf(
  `const known = day.slots.filter(({ value }) => value !== undefined);
  const sum = known.reduce((total, { value }) => total + value, 0);
  if (sum > 0) known.forEach((slot) => { slot.value = (slot.value * 100) / sum; });`,
  {},
  'scaled',
);
const total = seriesRuleOf(
  `const values = day.slots.flatMap(({ value }) => value ?? []);
  if (values.length > 0) day.emit('total', { startMs: day.startMs, endMs: day.endMs, value: values.reduce((sum, value) => sum + value, 0) });`,
  { emits: ['total'] },
  'total',
);
const net = seriesRuleOf(
  `day.slots.forEach((slot, index) => {
    const out = day.other('export').slots[index]?.value;
    if (slot.value !== undefined || out !== undefined) {
      day.emit('net', { startMs: slot.startMs, value: (slot.value ?? 0) - (out ?? 0) });
    }
  });`,
  { reads: ['export'], emits: ['net'] },
  'net',
);
/** The same channel, made of the other one. */
const netOfExport = seriesRuleOf(
  `day.slots.forEach((slot, index) => {
    const own = day.other('import').slots[index]?.value;
    if (slot.value !== undefined && own !== undefined) day.emit('net', { startMs: slot.startMs, value: own - slot.value });
  });`,
  { reads: ['import'], emits: ['net'] },
  'net-of-export',
);
/** The same rule in a later version. */
const otherConstant = seriesRuleOf(
  'day.slots.forEach((slot) => { if (slot.value === undefined) slot.fill(8, { method: "constant", reason: "second" }); });',
  {},
  'constant',
);
/** By what the registry says of a day, and by where the day begins and how long its slots are. */
const registered = seriesRuleOf(
  `day.slots.forEach((slot) => {
    if (slot.value !== undefined) slot.value *= context.tags.factor ?? 1;
    slot.annotate([day.startMs / 3600000, day.intervalMs / 3600000, day.unit, slot.unit].join(' '));
  });`,
  { tags: ['factor'] },
  'registered',
);
const inWatts = seriesRuleOf(
  `day.slots.forEach((slot) => { if (slot.unit === 'kWh') { slot.value *= 1000; slot.unit = 'Wh'; } });`,
  {},
  'in-watts',
);
const high = ruleOf('if (reading.value > 50) reading.annotate("high")');

const steps = {
  'like day': step(likeDay),
  interpolation: step(interpolate),
  constant: step(constant),
  'constant of export': step(constant, 'export'),
  scaling: step(scaled),
  total: step(total),
  net: step(net),
  'net of export': step(netOfExport, 'export'),
  'constant of net': step(constant, 'net'),
  'total of any': step(total, '*port'),
  'second constant': step(otherConstant),
  registered: step(registered, 'im*'),
  'registered export': step(registered, 'export'),
  'in watts': step(inWatts),
  'a reading rule': step(high, '*'),
} as const;
type StepName = keyof typeof steps;

const channels = ['import', 'export', 'net'] as const;
const outputs = ['import', 'export', 'net', 'total'] as const;
const hours4 = 4 * hourMs;

type Act =
  | { readonly does: 'send'; readonly piece: number; readonly stampsBack: number }
  | { readonly does: 'send together'; readonly pieces: readonly number[] }
  | { readonly does: 'close' }
  | { readonly does: 'activate' }
  | { readonly does: 'change' }
  | { readonly does: 'reprocess' };

/** When what an act's runs make is stored, and whether others act meanwhile. */
interface Timing {
  /** So many acts later, after all that these store. */
  readonly storedLater: number;
  /** The next act is done by another process, when this one's run has computed and nothing of it is written yet. */
  readonly isSlow: boolean;
}

type TimedAct = Act & Timing;

interface Piece {
  readonly channel: string;
  readonly day: number;
  readonly values: readonly (number | null | 'withdrawn')[];
  readonly lengthMs: number;
  readonly unit: string;
}

/** Other settings of a channel, after the fact: those of all time, or a tag or a length from an hour on. */
interface Change {
  readonly channel: string;
  readonly settings: SeriesSettingsPart;
  readonly from?: { readonly hour: number; readonly intervalMs?: number; readonly factor?: number };
}

interface Scenario {
  readonly pieces: readonly Piece[];
  readonly activations: readonly { readonly flow: readonly StepName[]; readonly fromHour: number | undefined }[];
  readonly changes: readonly Change[];
  readonly closings: number;
}

const piece: fc.Arbitrary<Piece> = fc.record({
  channel: fc.constantFrom('import', 'import', 'import', 'export', 'net'),
  day: fc.integer({ min: 0, max: 8 }),
  values: fc.array(fc.oneof(fc.integer({ min: 0, max: 99 }), fc.constant(null), fc.constant('withdrawn' as const)), {
    minLength: 1,
    maxLength: 9,
  }),
  lengthMs: fc.constantFrom(hours4, hours4, hours4, 2 * hours4),
  unit: fc.constantFrom('kWh', 'kWh', 'Wh', ''),
});
const hour = fc.integer({ min: 0, max: 8 * 24 });
const change: fc.Arbitrary<Change> = fc.record({
  channel: fc.constantFrom('import', 'import', 'export', 'net'),
  settings: fc.oneof(
    fc.record({ timeZone: fc.constantFrom('UTC', 'Asia/Tokyo', 'America/New_York', 'Asia/Kolkata') }),
    fc.record({ intervalMs: fc.constantFrom(hours4, 2 * hours4, undefined) }),
    fc.record({ unit: fc.constantFrom('kWh', 'Wh', undefined) }),
    fc.record({ tags: fc.record({ factor: fc.integer({ min: 1, max: 3 }) }) }),
  ),
});
const stated: fc.Arbitrary<Change> = fc.record({
  channel: fc.constantFrom('import', 'import', 'export'),
  settings: fc.constant({}),
  from: fc.oneof(
    fc.record({ hour, intervalMs: fc.constantFrom(hours4, 2 * hours4) }),
    fc.record({ hour, factor: fc.integer({ min: 4, max: 6 }) }),
  ),
});
const activation = fc.record({
  flow: fc
    .uniqueArray(fc.constantFrom(...(Object.keys(steps) as StepName[])), { minLength: 1, maxLength: 4 })
    // What the desk for rules takes of it.
    .map((names) =>
      names.reduce<StepName[]>(
        (taken, name) => (flowProblems(flowOf([...taken, name])).length === 0 ? [...taken, name] : taken),
        [],
      ),
    ),
  fromHour: fc.option(hour, { nil: undefined }),
});
const scenario = (changes: fc.Arbitrary<readonly Change[]>): fc.Arbitrary<Scenario> =>
  fc.record({
    pieces: fc.array(piece, { minLength: 1, maxLength: 5 }),
    activations: fc.array(activation, { minLength: 1, maxLength: 3 }),
    changes,
    closings: fc.integer({ min: 0, max: 3 }),
  });

/** All that happens, in some order; some of it twice. */
function actsOf({ pieces, activations, changes, closings }: Scenario): fc.Arbitrary<readonly TimedAct[]> {
  const sends = [...pieces.keys()].map((index): Act => ({ does: 'send', piece: index, stampsBack: index % 2 }));
  const others: Act[] = [
    ...Array.from({ length: closings }, (): Act => ({ does: 'close' })),
    // The first one counts from the beginning.
    ...activations.slice(1).map((): Act => ({ does: 'activate' })),
    ...changes.map((): Act => ({ does: 'change' })),
  ];
  const extra: Act[] = [
    { does: 'reprocess' },
    ...sends,
    { does: 'send together', pieces: [...pieces.keys()].reverse() },
  ];
  const timing: fc.Arbitrary<Timing> = fc.record({
    storedLater: fc.constantFrom(0, 0, 0, 1, 2, 5),
    isSlow: fc.constantFrom(false, false, true),
  });
  return fc
    .tuple(
      fc.shuffledSubarray([...sends, ...others], { minLength: sends.length + others.length }),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...extra)), { maxLength: 4 }),
      fc.infiniteStream(timing),
    )
    .map(([order, added, timings]) =>
      added
        .reduce<Act[]>((acts, [at, act]) => acts.toSpliced(at % (acts.length + 1), 0, act), order)
        .map((act) => ({ ...act, ...(timings.next().value as Timing) })),
    );
}

/** What control does, over what is stored. */
class World {
  readonly pipeline: Pipeline;
  readonly #scenario: Scenario;
  readonly #sent = new Set<number>();
  #activations = 0;
  #changes = 0;
  #closings = 0;

  constructor(sandbox: IsolatedSandbox, scenario: Scenario) {
    this.pipeline = new Pipeline(sandbox);
    this.#scenario = scenario;
  }

  /** All of them, and all that they made is stored in the end. */
  async doAll(acts: readonly TimedAct[]): Promise<void> {
    let waiting: { acts: number; readonly store: () => Promise<void> }[] = [];
    const later = async (store: () => Promise<void>, after: number): Promise<void> => {
      waiting.push({ acts: after, store });
      for (const each of waiting.filter(({ acts: left }) => left <= 0)) {
        await each.store();
      }
      waiting = waiting.filter(({ acts: left }) => left > 0);
    };
    const actFrom = async (index: number): Promise<number> => {
      const act = acts[index];
      if (act === undefined) {
        return index;
      }
      let next = index + 1;
      // Settings that are of now say something else with time.
      this.pipeline.nowMs += dayMs / 2;
      waiting.forEach((each) => {
        each.acts -= 1;
      });
      const doNext = async (): Promise<void> => {
        next = await actFrom(index + 1);
      };
      const store = await this.pipeline.storingLater(() =>
        act.isSlow ? this.pipeline.meanwhile(doNext, () => this.#does(act)) : this.#does(act),
      );
      await later(store, act.storedLater);
      return next;
    };
    for (let index = 0; index < acts.length;) {
      index = await actFrom(index);
    }
    for (const { store } of waiting) {
      await store();
    }
  }

  async #does(act: Act): Promise<void> {
    switch (act.does) {
      case 'send':
        this.#sent.add(act.piece);
        return this.pipeline.store(this.#batch(act.piece, act.stampsBack));
      case 'send together':
        return this.#sendTogether(act.pieces);
      case 'close':
        return this.#close();
      case 'activate':
        return this.activate();
      case 'change':
        return this.#change();
      case 'reprocess':
        return this.#reprocess();
    }
  }

  async activate(): Promise<void> {
    const { flow, fromHour } = this.#scenario.activations[this.#activations++] as Scenario['activations'][number];
    const isFirst = this.#activations === 1;
    const span = isFirst || fromHour === undefined ? all : { fromMs: firstMs + fromHour * hourMs, toMs: instantMsMax };
    await this.pipeline.activate(flowOf(flow), span);
    await this.#closeDays();
    await this.#reprocess();
  }

  /** Other settings, which have all that is stored of the series computed anew. */
  async #change(): Promise<void> {
    const { channel, settings, from } = this.#scenario.changes[this.#changes++] as Change;
    const name = { meter: 'm1', channel };
    if (from === undefined) {
      await this.pipeline.series.set(tenant, name, settings);
    } else {
      const { hour: hours, intervalMs, factor } = from;
      const facts = {
        ...(intervalMs === undefined ? {} : { intervalMs }),
        ...(factor === undefined ? {} : { tags: { factor } }),
      };
      const validity = { fromMs: firstMs + hours * hourMs, toMs: instantMsMax };
      await this.pipeline.series.state(tenant, name, { facts, validity });
    }
    await this.#closeDays();
    await this.#reprocess([channel]);
  }

  async lines(): Promise<string[]> {
    const lines = await Promise.all(outputs.map((channel) => this.pipeline.lines(channel)));
    return lines.flat().filter((line) => !line.includes('no-longer-emitted'));
  }

  #batch(index: number, stampsBack = 0): Parameters<Pipeline['store']>[0] {
    const { channel, day, values, lengthMs, unit } = this.#scenario.pieces[index] as Piece;
    const rows = values.flatMap((value, slot): [number, number | undefined][] =>
      value === null ? [] : [[firstMs + day * dayMs + slot * lengthMs, value === 'withdrawn' ? undefined : value]],
    );
    const stamp = Math.max(1, this.#activations - stampsBack);
    return readingsOf(channel, rows, { lengthMs, acceptedAtMs: index + 1, activation: stamp, unit });
  }

  /** All are stored before any notice is taken, and the notices come in one group. */
  async #sendTogether(pieces: readonly number[]): Promise<void> {
    const batches = pieces.map((index) => this.#batch(index));
    pieces.forEach((index) => this.#sent.add(index));
    for (const batch of batches) {
      await this.pipeline.keep(batch);
    }
    await this.pipeline.tell(batches.map(noticeOf));
  }

  async #close(): Promise<void> {
    this.#closings += 1;
    await this.#closeDays();
  }

  /** Long after all that was sent, so that days are closed in every zone. */
  async finish(): Promise<void> {
    this.#closings += 10;
    await this.#closeDays();
  }

  /** Every local day that is over by now, in the zones that there are. */
  async #closeDays(): Promise<void> {
    if (this.#closings === 0) {
      return;
    }
    const zones = new Map<string, string[]>();
    for (const channel of channels) {
      const { timeZone } = await this.pipeline.series.current(tenant, { meter: 'm1', channel });
      zones.set(timeZone, [...(zones.get(timeZone) ?? []), channel]);
    }
    for (const [timeZone, among] of zones) {
      await this.#closeZone(timeZone, among);
    }
  }

  async #closeZone(timeZone: string, among: readonly string[]): Promise<void> {
    const calendar = calendarOf(timeZone);
    const throughMs = calendar.dayStartMs(calendar.dayOf(firstMs + this.#closings * 3 * dayMs));
    const { closedDays } = this.pipeline;
    const { publishedThroughMs } = await closedDays.raise(tenant, timeZone, { closedThroughMs: throughMs });
    const spans: Span[] = [];
    for (const channel of among) {
      const beginsMs = await this.#firstMs(channel);
      // A day before the first is due to rules that look ahead.
      const fromMs =
        publishedThroughMs > 0 || beginsMs === undefined
          ? publishedThroughMs
          : calendar.dayStartMs(calendar.dayOf(beginsMs) - 1);
      if (beginsMs !== undefined && fromMs < throughMs) {
        spans.push({ channel, fromMs, toMs: throughMs });
      }
    }
    await this.pipeline.tell([noticeOfSpans(spans)], 'days');
    await closedDays.raise(tenant, timeZone, { publishedThroughMs: throughMs });
  }

  /** Of the days of UTC that something is stored in. */
  async #reprocess(among: readonly string[] = channels): Promise<void> {
    const spans: Span[] = [];
    for (const channel of among) {
      const fromMs = await this.#firstMs(channel);
      if (fromMs !== undefined) {
        spans.push({ channel, fromMs: Math.floor(fromMs / dayMs) * dayMs, toMs: firstMs + 14 * dayMs });
      }
    }
    // One by one, so that each has a ticket of its own.
    for (const span of spans) {
      await this.pipeline.tell([noticeOfSpans([span])]);
    }
  }

  async #firstMs(channel: string): Promise<number | undefined> {
    const [first] = await this.pipeline.lines(channel, 'raw');
    return first === undefined ? undefined : Date.parse((JSON.parse(first) as { start: string }).start);
  }
}

interface Span {
  readonly channel: string;
  readonly fromMs: number;
  readonly toMs: number;
}

function noticeOfSpans(spans: readonly Span[]): StoredNotice {
  return {
    ...{ tenant, layer: 'raw', activation: 0, key: 'd'.repeat(32), causes: [] },
    touched: {
      series: spans.map(({ channel }) => ({ meter: 'm1', channel })),
      index: Uint32Array.from(spans.keys()),
      fromMs: Float64Array.from(spans, ({ fromMs }) => fromMs),
      toMs: Float64Array.from(spans, ({ toMs }) => toMs),
    },
  };
}

function flowOf(names: readonly StepName[]): Flow {
  return flowWith(names.map((name) => steps[name]));
}

describe('whatever comes when', () => {
  let sandbox: IsolatedSandbox;
  beforeAll(() => {
    sandbox = new IsolatedSandbox();
  });
  afterAll(() => sandbox.close());

  const linesAfter = async (of: Scenario, acts: readonly TimedAct[]): Promise<string[]> => {
    const world = new World(sandbox, of);
    await world.activate();
    await world.doAll(acts);
    if (of.changes.some(({ settings }) => settings.timeZone !== undefined)) {
      // Days of a zone that are not closed in the next yet, and were filled there, go with its closing.
      await world.finish();
    }
    return world.lines();
  };

  const orderly = ({ pieces, activations, changes, closings }: Scenario): TimedAct[] => {
    const at = { storedLater: 0, isSlow: false };
    return [
      ...pieces.map((_, index): TimedAct => ({ does: 'send', piece: index, stampsBack: 0, ...at })),
      ...activations.slice(1).map((): TimedAct => ({ does: 'activate', ...at })),
      ...changes.map((): TimedAct => ({ does: 'change', ...at })),
      ...Array.from({ length: closings }, (): TimedAct => ({ does: 'close', ...at })),
    ];
  };

  test.each([
    ['random flows, activations and arrivals', fc.constant([])],
    [
      'settings that are others in between, of all time and from an hour on,',
      fc.array(fc.oneof(change, stated), { minLength: 1, maxLength: 3 }),
    ],
  ])('law: %s end in the same lines', { timeout: 300_000 }, async (_, changes) => {
    const cases = scenario(changes).chain((of) => fc.tuple(fc.constant(of), actsOf(of)));
    await fc.assert(
      fc.asyncProperty(cases, async ([of, acts]) => {
        expect(await linesAfter(of, acts)).toEqual(await linesAfter(of, orderly(of)));
      }),
      { numRuns: 60 },
    );
  });
});
