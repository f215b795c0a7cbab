import { encodeReadingBatch, encodeStoredNotice, messageAttributes, topicName } from '@meterflow/contracts';
import { BatchBuilder, rawVersion, ReadingRow } from '@meterflow/readings';
import type { FailurePolicy, Flow } from '@meterflow/rules';
import type { OutgoingMessage } from '@meterflow/stage';
import { lane } from './lane.ts';
import { poisonMeter, proofRules } from './flow-sandbox.ts';
import { estimateName } from './proof-estimate.ts';
import { pick, wholeNumber } from './random.ts';
import type { PlannedSource, WorkloadPlan } from './workload.ts';

// What becomes of readings must not depend on who dies when; so each story fixes what counts: versions where sources come
// in no order, or one sender who sends one after the other.

interface Line {
  readonly meter: string;
  readonly slot: number;
  /** Absent: withdrawn. */
  readonly value?: string;
  readonly version?: number;
  /** A slot where absent. */
  readonly lengthMs?: number;
}

const slotMs = 1_800_000;
const dayMs = 86_400_000;
/** Half an hour before local midnight in Zurich, on the day after the clocks went back. */
const firstMs = Date.UTC(2023, 9, 30, 22, 30);
const monthSlots = -31 * 48;
const years = -20 * 365 * 48;

export const stories = {
  /** One sender corrects what it sent, without versions: the later acceptance counts. */
  corrections: (plan: WorkloadPlan): void => {
    const lines = (value: string): Line[] => [0, 1, 2].map((slot) => ({ meter: 'corrected', slot, value }));
    plan.send(0, [file(plan, 'first', lines('1.5')), file(plan, 'second', lines('2.25').slice(1))]);
  },
  /** The same value again after another one: what was there before is right again. */
  backAgain: (plan: WorkloadPlan): void => {
    const once = (label: string, value: string): Source => file(plan, label, [{ meter: 'again', slot: 1, value }]);
    // So far apart that each is aggregated by itself, and so near that what stalls at one has it in hand at the next.
    plan.send(0, [once('a', '5'), once('b', '7'), once('a-again', '5')], [250, 500]);
  },
  /** Two senders with versions, in no order; a withdrawal among them, and two values at one version. */
  versions: (plan: WorkloadPlan): void => {
    const at = (slot: number, version: number, value?: string): Line => ({
      meter: 'versioned',
      slot,
      version,
      ...(value === undefined ? {} : { value }),
    });
    plan.send(0, [file(plan, 'new', [at(0, 3, '30'), at(1, 2), at(2, 1, '7')])]);
    plan.send(0, [file(plan, 'old', [at(0, 1, '10'), at(1, 1, '11'), at(2, 1, '8')])]);
  },
  /** The same file again, when it is in: all of it counts as duplicates. */
  duplicates: (plan: WorkloadPlan): void => {
    const source = file(plan, 'twice', [
      { meter: 'repeated', slot: 0, value: '1' },
      { meter: 'repeated', slot: 1, value: '2.5' },
    ]);
    plan.send(0, [source, { ...source, delivery: 'again' }]);
  },
  /** Readings of last month, of twenty years ago, and lines that are none. */
  lateAndBad: (plan: WorkloadPlan): void => {
    const meter = 'late';
    const lines = [
      { meter, slot: 0, value: '1' },
      { meter, slot: monthSlots, value: '2' },
      { meter, slot: years, value: '3' },
      { meter, slot: 1, value: 'no number' },
    ];
    plan.send(0, [file(plan, 'late', lines)]);
    plan.send(0, [file(plan, 'all-bad', [{ meter, slot: 3, value: '?' }])]);
  },
  /**
   * New rules between two deliveries of the same readings: all that is stored is computed anew. What the last rules reject
   * was rejected before, or is so whenever it is computed: which days had a dead letter on the way is no matter of order.
   */
  activations: (plan: WorkloadPlan): void => {
    const lines = (...values: readonly number[]): Line[] =>
      values.map((value, slot) => ({ meter: 'ruled', slot, value: String(value) }));
    plan.control();
    plan.activate(0, 'acme', flow('skip', [proofRules.rejectAbove, { limit: 41 }]));
    plan.send(0, [file(plan, 'under-one', lines(50, 40, 41))]);
    plan.activate(1, 'acme', flow('skip', [proofRules.scale, { factor: 2 }], [proofRules.rejectAbove, { limit: 90 }]));
    plan.send(1, [file(plan, 'under-two', lines(50, 44, 45).slice(1))]);
  },
  /** A flow that halts where a rule fails: the batch is parked, and others go on. */
  halts: (plan: WorkloadPlan): void => {
    const strict = (label: string, value: string): Source =>
      file(plan, `strict/${label}`, [{ meter: 'strict', slot: 0, value }]);
    plan.activate(0, 'strict', flow('halt', [proofRules.failAt, { at: 13 }]));
    plan.send(0, [strict('fine', '12'), strict('halted', '13')]);
  },
  /** A batch whose handling kills the process, beside one that has nothing to do with it. */
  poison: (plan: WorkloadPlan): void => {
    plan.send(0, [file(plan, 'deadly', [{ meter: poisonMeter, slot: 0, value: '1' }])]);
    plan.send(0, [file(plan, 'bystander', [{ meter: 'bystander', slot: 0, value: '2' }])]);
  },
  /** Bytes that are no message, and a message that came to the wrong stage. */
  strays: (plan: WorkloadPlan): void => {
    const garbage = Uint8Array.of(255, 1, 2, wholeNumber(plan.random, 0, 255));
    plan.stray(0, pick(plan.random, ['readings.accepted', 'readings.transformed', 'aggregates']), garbage);
    plan.stray(0, 'readings.transformed', rawMessage());
    plan.send(0, [file(plan, 'beside', [{ meter: 'beside', slot: 0, value: '3' }])]);
  },
  /** All that a stage ever had comes once more, under a new epoch. */
  replays: (plan: WorkloadPlan): void => {
    plan.send(0, [file(plan, 'before', [{ meter: 'replayed', slot: 0, value: '4' }])]);
    const stages = [
      'persistence-raw',
      'rule-execution',
      'persistence-validated',
      'aggregation',
      'persistence-aggregates',
    ];
    plan.replay(0, pick(plan.random, stages));
    plan.send(1, [file(plan, 'after', [{ meter: 'replayed', slot: 0, value: '6' }])]);
  },
  /** Several senders, one day of one meter: its aggregates are computed by several at once. */
  sharedDay: (plan: WorkloadPlan): void => {
    for (const slot of [0, 1, 2]) {
      plan.send(0, [file(plan, `slot-${slot}`, [{ meter: 'shared', slot, value: `0.${slot + 1}`, version: 1 }])]);
    }
  },
  /** Days that are compacted while corrections, and redeliveries of what is merged already, come in. */
  compaction: (plan: WorkloadPlan): void => {
    const at = (slot: number, value: string): Line => ({ meter: 'compacted', slot, value });
    plan.compact();
    plan.send(0, [file(plan, 'morning', [at(0, '1'), at(1, '2')]), file(plan, 'noon', [at(2, '3')])]);
    plan.send(1, [file(plan, 'corrected', [at(1, '2.5')])], [400, 700]);
  },
  /** Activated and taken back while what came before is still in work: nothing is left of it. */
  rolledBack: (plan: WorkloadPlan): void => {
    plan.control();
    const lines = (value: number): Line[] =>
      [0, 1, 2].map((slot) => ({ meter: 'rolled', slot, value: `${value + slot}` }));
    const before = flow('skip', [proofRules.rejectAbove, { limit: 11 }]);
    plan.activate(0, 'rolled', before);
    plan.send(0, [file(plan, 'rolled/before', lines(10))], [2]);
    plan.activate(
      1,
      'rolled',
      flow('skip', [proofRules.scale, { factor: 3 }], [proofRules.rejectAbove, { limit: 33 }]),
    );
    plan.send(
      1,
      [
        file(
          plan,
          'rolled/meanwhile',
          lines(10).map((line) => ({ ...line, slot: line.slot + 3 })),
        ),
      ],
      [2],
    );
    plan.activate(2, 'rolled', before);
    plan.send(
      2,
      [
        file(
          plan,
          'rolled/after',
          lines(10).map((line) => ({ ...line, slot: line.slot + 6 })),
        ),
      ],
      [2],
    );
  },
  /** A meter whose days are another zone's from now on, while readings of it still come. */
  zoneChange: (plan: WorkloadPlan): void => {
    const at = (slot: number, value: string): Line => ({ meter: 'moved', slot, value });
    plan.send(0, [file(plan, 'zurich', [at(0, '1'), at(1, '2')])]);
    const place = { tenant: 'acme', meter: 'moved', timeZone: 'Asia/Tokyo' };
    plan.changeZone(1, { ...place, recompute: recomputeNotice(place) });
    plan.send(1, [file(plan, 'tokyo', [at(2, '4')])]);
  },
  /** Meters of a street of an area; one of them was never there, as it turns out, while readings of all still come. */
  groups: (plan: WorkloadPlan): void => {
    const at = (meter: string, slot: number, value: string): Line => ({ meter, slot, value });
    const zone = { timeZone: 'Europe/Zurich', intervalMs: slotMs };
    const groups = [
      { ...zone, name: 'street', source: { kind: 'members' as const } },
      { ...zone, name: 'area', source: { kind: 'children' as const, children: [{ group: 'street' }] } },
    ];
    const member = (meter: string, isMember: boolean) => ({ meter, group: 'street', isMember });
    const members = ['house-1', 'house-2', 'house-3'].map((meter) => member(meter, true));
    plan.group(0, { tenant: 'acme', groups, members, recompute: [] });
    plan.send(0, [file(plan, 'one', [at('house-1', 0, '1'), at('house-2', 0, '20')])]);
    plan.send(0, [file(plan, 'two', [at('house-3', 0, '300'), at('house-3', 2, '4000')])]);
    const left = { tenant: 'acme', groups: [], members: [member('house-2', false)] };
    plan.group(1, { ...left, recompute: [recomputeNotice({ tenant: 'acme', meter: 'house-2' })] });
    plan.send(1, [file(plan, 'three', [at('house-1', 1, '0.5'), at('house-2', 1, '7')])]);
    ['street', 'area'].forEach((group) => {
      plan.series({ tenant: 'acme', meter: `group:${group}`, channel: 'import' });
    });
  },
  /**
   * A rule for whole days, from its upload to its roll-back: a second version of it, corrections and closed days meanwhile,
   * its history last, and days of which nothing ever came: after all that came, and before what came first. The very
   * beginning comes when no activation follows that would have all days computed anyhow.
   */
  ruleLife: (plan: WorkloadPlan): void => {
    const tenant = 'lived';
    const soon = { tenant, afterMs: pick(plan.random, [2, 60, 400]) };
    const first = JSON.stringify({ plus: 0, emits: ['total'], otherwise: 7 });
    const second = JSON.stringify({ plus: 100, emits: ['total', 'extra'], otherwise: 7 });
    const activate = (as: string) => ({
      ...soon,
      does: 'activate' as const,
      rule: estimateName,
      channels: 'import',
      as,
    });
    const day = (number: number, values: readonly (string | undefined)[]): Line[] =>
      values.flatMap((value, slot) =>
        value === undefined ? [] : [{ ...quarter(number, slot), meter: 'home', value }],
      );
    const days = (label: string, ...lines: readonly Line[][]): Source => file(plan, `${tenant}/${label}`, lines.flat());
    ['import', 'total', 'extra'].forEach((channel) => {
      plan.series({ tenant, meter: 'home', channel, intervalMs: 6 * hourMs });
    });
    plan.order(0, { ...soon, does: 'upload', source: first }, activate('first'));
    plan.send(0, [days('gaps', day(4, ['10', undefined, '30', undefined]))]);
    plan.closeDays(1, dayStartMs(5));
    plan.send(1, [days('history', day(1, ['1', '2', '3', '4']))]);
    plan.order(2, { ...soon, does: 'upload', source: second }, activate('second'));
    plan.send(2, [days('corrected', day(4, ['11']))]);
    plan.order(3, { ...soon, does: 'roll-back', to: 'first' }, { ...soon, does: 'reprocess', ...allTime });
    plan.send(3, [days('late', day(1, [undefined, undefined, undefined, '5']))]);
    // When all that is told of activations is over: nothing but the closing itself, and the late beginning, tells of these days.
    plan.wait(4);
    plan.closeDays(4, dayStartMs(6));
    plan.send(4, [days('beginning', day(-2, ['2', '4', '6', '8']))]);
  },
} satisfies Record<string, (plan: WorkloadPlan) => void>;

const hourMs = 3_600_000;
const allTime = { fromMs: Date.UTC(2023, 0, 1), toMs: Date.UTC(2024, 0, 1) };

/** Midnight in Zurich of days that all have 24 hours; 0 is the first of November. */
function dayStartMs(number: number): number {
  return Date.UTC(2023, 9, 31, 23) + number * dayMs;
}

/** A quarter of such a day. */
function quarter(number: number, slot: number): Pick<Line, 'slot' | 'lengthMs'> {
  return { slot: (dayStartMs(number) - firstMs) / slotMs + slot * 12, lengthMs: 6 * hourMs };
}

type Source = Omit<PlannedSource, 'afterMs'>;

/** `label`, or `tenant/label` of another tenant than the usual one. */
function file(plan: WorkloadPlan, path: string, lines: readonly Line[]): Source {
  const [label = '', tenant = 'acme'] = path.split('/').toReversed();
  plan.series(...lines.map(({ meter }) => ({ tenant, meter, channel: 'import' })));
  const rows = lines.map(({ meter, slot, value, version, lengthMs = slotMs }) => {
    const startMs = firstMs + slot * slotMs;
    const [start, end] = [startMs, startMs + lengthMs].map((instantMs) => new Date(instantMs).toISOString());
    const quality = value === undefined ? 'missing' : 'measured';
    return [meter, 'import', start, end, value ?? '', 'kWh', quality, version ?? ''].join(',');
  });
  const csv = ['meter_id,channel,start,end,value,unit,quality,version', ...rows, ''].join('\n');
  return { tenant, label: `${tenant}/${label}`, delivery: 'first', csv };
}

/** As who changes a zone tells aggregation: all that is stored of the meter, and a day more on both sides. */
function recomputeNotice({ tenant, meter }: { readonly tenant: string; readonly meter: string }): OutgoingMessage {
  const touched = {
    series: [{ meter, channel: 'import' }],
    index: Uint32Array.of(0),
    fromMs: Float64Array.of(firstMs - 2 * dayMs),
    toMs: Float64Array.of(firstMs + 3 * dayMs),
  };
  // Two of one key would be one to aggregation.
  const key = Buffer.from(meter).toString('hex').padEnd(32, '0').slice(0, 32);
  const header = { tenant, layer: 'validated', activation: 0, key, causes: [] } as const;
  return {
    topic: topicName('readings.stored.validated', lane),
    payload: encodeStoredNotice({ ...header, touched }),
    attributes: messageAttributes('StoredNotice', tenant),
  };
}

function flow(
  onFailure: FailurePolicy,
  ...steps: readonly (readonly [name: string, parameters: Record<string, number>])[]
): Flow {
  return {
    name: 'proof',
    onFailure,
    steps: steps.map(([name, parameters]) => ({
      rule: { id: name, name, contract: 1, source: '' },
      parameters,
      channels: '*',
    })),
  };
}

function rawMessage(): Uint8Array {
  const builder = new BatchBuilder(1);
  const row = new ReadingRow();
  row.series = builder.series('stray', 'import');
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(1, 0));
  row.startMs = firstMs;
  row.lengthMs = slotMs;
  row.integer = 1;
  builder.append(row);
  const header = { tenant: 'acme', layer: 'raw', sourceId: 'stray.1', acceptedAtMs: 1, activation: 0 } as const;
  return encodeReadingBatch(builder.finish(header));
}
