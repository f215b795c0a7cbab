import { createHash } from 'node:crypto';
import { calendarOf } from '@meterflow/aggregates';
import {
  decodeStoredNotice,
  DayNotices,
  encodeReadingBatch,
  encodeStoredNotice,
  messageAttributes,
  topicName,
  type DaySpan,
  type Lane,
} from '@meterflow/contracts';
import type { ReadingStore, Tickets } from '@meterflow/idempotent-writes';
import type { Layer, ReadingBatch, SeriesName, StoredNotice } from '@meterflow/readings';
import {
  type Activations,
  type ClosedDaysRegistry,
  type DaysMade,
  type SeriesRegistry,
  type SeriesMade,
  type SeriesTold,
  type SettingsSnapshot,
  type ToldSince,
  intervalMsAt,
  tagsAt,
} from '@meterflow/registry';
import {
  channelNeeds,
  emitsOf,
  readInputs,
  SeriesDays,
  SeriesWindows,
  ValidatedRows,
  type Activation,
  type DayOutcome,
  type DueDays,
  type RuleFailure,
  type Sandbox,
} from '@meterflow/rules';
import { HaltedError, PermanentError, type Handled, type OutgoingMessage, type Stage } from '@meterflow/stage';
import { dueDays, hasSeriesFlow } from './due-days.ts';
import { MadeByRun, type MadeBySeries } from './made-by-run.ts';
import { runFlow } from './run-flow.ts';
import type { SeriesFlowWrite } from './series-flow-sink.ts';
import { toldByNotices, untoldDays } from './told-days.ts';

export interface SeriesFlowPorts {
  readonly sandbox: Pick<Sandbox, 'run' | 'runSeries'>;
  readonly activations: Pick<Activations, 'readNewest' | 'counting' | 'list'>;
  readonly tickets: Tickets;
  readonly readings: (layer: Layer) => Pick<ReadingStore, 'read' | 'firstMs'>;
  readonly series: Pick<SeriesRegistry, 'snapshotOf'>;
  readonly closedDays: Pick<ClosedDaysRegistry, 'of'>;
  readonly toldSince: Pick<ToldSince, 'of'>;
  readonly daysMade: Pick<DaysMade, 'of'>;
  /** Resolves when the sandbox's first child is up or has failed. */
  readonly warm?: Promise<unknown>;
  /** Told of each step that failed on a reading or a day; what became of it is the severity's or the policy's. */
  readonly onFailure?: (failure: RuleFailure & { readonly tenant: string }) => void;
}

/** What was read for one tenant of a group: everything but the readings, which follow series by series. */
export interface TenantWork {
  readonly tenant: string;
  /** The notice of the group that a day is told under when it is parked or rejected. */
  readonly index: number;
  /** Names the notices. */
  readonly cause: string;
  readonly ticket: number;
  readonly newest: Activation;
  readonly activations: readonly Activation[];
  /** All that counted so far, as far as anybody looks. */
  readonly earlier: readonly Activation[];
  /** Channels that any activation of the tenant so far emits on. */
  readonly emits: readonly string[];
  readonly settings: SettingsSnapshot;
  readonly closedThroughMs: ReadonlyMap<string, number>;
  readonly due: readonly DueDays[];
  /** Closed days beside these that nobody told of so far. */
  readonly untold: readonly DaySpan[];
  /** Since when series are told, once their notices are taken. */
  readonly told: readonly SeriesTold[];
}

/**
 * It writes down what it makes, so that a later run withdraws also what is still on its way, and since when series are told:
 * whoever listens to the closing of days has what tells of them until it is done.
 */
export type SeriesFlowStage = Stage<StoredNotice, readonly TenantWork[], SeriesFlowWrite>;

/** Days of one series that are read and run together. */
const daysTogetherMax = 64;
/** Series whose days are read and run at once. */
const seriesAtOnceMax = 16;
/** So far back activations are looked through for channels that once were emitted on. */
const activationsListedMax = 100;

/**
 * Runs series flows whole over the stored raw readings of every day that a group of notices makes due, and reading flows
 * over those that came in under an older activation. What comes out replaces what came out of the day before: the higher
 * ticket wins, and whoever took it read after every write that was announced before.
 *
 * `days`: it listens to the closing of days instead of raw readings. Raw readings that come after days were closed, and
 * begin before what was told of them, have it told of the days in between.
 */
export function seriesFlowStage(
  ports: SeriesFlowPorts,
  { lane, listensTo }: { readonly lane: Lane; readonly listensTo: 'raw' | 'days' },
): SeriesFlowStage {
  const topic = topicName('readings.transformed', lane);
  const isClosing = listensTo === 'days';
  return {
    name: isClosing ? 'days-due' : 'series-flows',
    decode: ({ payload }) => decodeStoredNotice(payload),
    key: ({ tenant, key }) => `${tenant}/${key}`,
    origin: ({ tenant, causes }) => ({ tenant, causes, layers: [] }),
    read: async (inputs) => {
      await ports.warm;
      const work: TenantWork[] = [];
      for (const [tenant, notices] of byTenant(inputs)) {
        const found = await tenantWork(ports, { tenant, notices, isClosing });
        if (found !== undefined) {
          work.push({ ...found, index: inputs.indexOf(notices[0] as StoredNotice), cause: causeOf(notices) });
        }
      }
      return work;
    },
    handle: async (_, reads) => {
      const messages: OutgoingMessage[] = [];
      const refused: NonNullable<Handled<SeriesFlowWrite>['refused']>[number][] = [];
      const writes: SeriesFlowWrite[] = [];
      for (const work of reads) {
        const { batches, parts, made } = await runTenant(ports, work);
        writes.push(...work.told.map((told) => ({ told })), ...made.map((each) => ({ made: each })));
        messages.push(...batches.map((batch) => transformed(batch, topic)));
        messages.push(...dueNotices(work, lane));
        refused.push(...parts.map(({ notice, error }) => ({ index: work.index, error, part: partOf(notice) })));
      }
      return { writes, messages, refused };
    },
  };
}

function byTenant(inputs: readonly StoredNotice[]): Map<string, StoredNotice[]> {
  const tenants = new Map<string, StoredNotice[]>();
  for (const notice of inputs.filter(({ layer }) => layer === 'raw')) {
    const known = tenants.get(notice.tenant) ?? [];
    known.push(notice);
    tenants.set(notice.tenant, known);
  }
  return tenants;
}

interface TenantNotices {
  readonly tenant: string;
  readonly notices: readonly StoredNotice[];
  readonly isClosing: boolean;
}

/** Undefined where the notices make nothing due, which costs one look at the registry and no ticket. */
async function tenantWork(
  ports: SeriesFlowPorts,
  { tenant, notices, isClosing }: TenantNotices,
): Promise<Omit<TenantWork, 'index' | 'cause'> | undefined> {
  if (!(await mayBeDue(ports, { tenant, notices, isClosing }))) {
    return undefined;
  }
  // 1. The ticket, 2. the newest activation, 3. how far days are closed and what is registered, 4. (series by series) what is stored.
  const ticket = await ports.tickets.take(tenant);
  const newest = await ports.activations.readNewest(tenant);
  const activations = await ports.activations.counting(tenant, newest.number, spanOf(notices));
  const listed = await ports.activations.list(tenant, { limit: activationsListedMax });
  const earlier = [...new Map([...listed, ...activations].map((each) => [each.number, each])).values()];
  const emits = [...new Set(earlier.flatMap(({ flow }) => emitsOf(flow)))];
  const settings = await ports.series.snapshotOf(tenant, seriesInSight({ notices, activations, emits }));
  const zoneOf = ({ meter, channel }: { meter: string; channel: string }): string =>
    settings.of(meter, channel).timeZone;
  const due = dueDays({ notices, activations, earlier, zoneOf, isClosing });
  const closedThroughMs = new Map<string, number>();
  for (const timeZone of new Set(due.map((each) => each.timeZone))) {
    closedThroughMs.set(timeZone, (await ports.closedDays.of(tenant, timeZone))?.closedThroughMs ?? 0);
  }
  const request = { tenant, notices, activations, zoneOf, closedThroughMs, toldSince: ports.toldSince };
  const untold = isClosing ? [] : await untoldDays(request);
  const beginsMs = async (series: SeriesName): Promise<number> => {
    const { sinceMs = Infinity } = settings.of(series.meter, series.channel);
    return Math.min(sinceMs, (await ports.readings('raw').firstMs({ tenant, ...series, layer: 'raw' })) ?? Infinity);
  };
  const told = isClosing ? await toldByNotices(request, beginsMs) : [];
  return { tenant, ticket, newest, activations, earlier, emits, settings, closedThroughMs, due, untold, told };
}

function causeOf(notices: readonly StoredNotice[]): string {
  return notices.map(({ key }) => key).join(' ');
}

function dueNotices({ tenant, untold, cause }: TenantWork, lane: Lane): OutgoingMessage[] {
  const notices = new DayNotices({ topic: 'days.due', lane, tenant, layer: 'raw', cause });
  return [...untold.flatMap((span) => notices.add(span)), ...notices.finish()];
}

/** Every series whose settings may be asked for: those touched, and the channels of their meters that any flow names. */
function seriesInSight({
  notices,
  activations,
  emits,
}: Pick<TenantWork, 'activations' | 'emits'> & { readonly notices: readonly StoredNotice[] }): readonly SeriesName[] {
  const touched = notices.flatMap((notice) => notice.touched.series);
  const steps = activations.flatMap(({ flow }) => flow.steps);
  const named = steps.flatMap(({ rule, channels }) => [channels, ...(rule.series?.reads ?? [])]);
  const channels = [...new Set([...named.filter((each) => !each.includes('*')), ...emits])];
  const meters = [...new Set(touched.map(({ meter }) => meter))];
  return [...touched, ...meters.flatMap((meter) => channels.map((channel) => ({ meter, channel })))];
}

async function mayBeDue(
  { activations }: SeriesFlowPorts,
  { tenant, notices, isClosing }: TenantNotices,
): Promise<boolean> {
  const newest = await activations.readNewest(tenant);
  const counting = await activations.counting(tenant, newest.number, spanOf(notices));
  const channels = [...new Set(notices.flatMap(({ touched }) => touched.series.map(({ channel }) => channel)))];
  const isOlder = notices.some(({ activation }) => counting.some(({ number }) => activation < number));
  return (isOlder && !isClosing) || hasSeriesFlow(counting, channels);
}

/** With room for what look-back and look-ahead reach. */
function spanOf(notices: readonly StoredNotice[]): { readonly fromMs: number; readonly toMs: number } {
  let fromMs = Infinity;
  let toMs = -Infinity;
  for (const { touched } of notices) {
    touched.fromMs.forEach((each, row) => {
      fromMs = Math.min(fromMs, each);
      toMs = Math.max(toMs, touched.toMs[row] as number);
    });
  }
  return { fromMs: fromMs - reachMs, toMs: toMs + reachMs };
}

/** Further than any rule looks. */
const reachMs = 400 * 24 * 60 * 60 * 1000;

interface ParkedDay {
  readonly notice: StoredNotice;
  readonly error: Error;
}

interface TenantOutcome {
  readonly batches: readonly ReadingBatch[];
  readonly parts: readonly ParkedDay[];
  readonly made: readonly SeriesMade[];
}

async function runTenant(ports: SeriesFlowPorts, work: TenantWork): Promise<TenantOutcome> {
  const rows = new ValidatedRows(work.tenant, work.newest.number);
  const parts: ParkedDay[] = [];
  const madeByRun = new MadeByRun(work, ports.daysMade);
  const runs = work.due.flatMap(runsOf);
  for (let from = 0; from < runs.length; from += seriesAtOnceMax) {
    const outcomes = await Promise.all(
      runs.slice(from, from + seriesAtOnceMax).map((due) => runSeries({ ports, work, madeByRun }, due)),
    );
    for (const { dayMs, outcome, due, made } of outcomes.flat()) {
      const notice = dayNotice(work, due, dayMs);
      if (outcome instanceof HaltedError) {
        parts.push({ notice, error: outcome });
        continue;
      }
      const [fromMs, toMs] = dayMs;
      const closedThroughMs = work.closedThroughMs.get(due.timeZone) ?? 0;
      made.add({ fromMs, toMs, isClosed: toMs <= closedThroughMs, isRun: outcome.length > 0 });
      for (const { write, failures } of outcome) {
        failures.forEach((failure) => ports.onFailure?.({ ...failure, tenant: work.tenant }));
        const rejected = write(rows, made.readings);
        if (rejected > 0) {
          const error = new PermanentError('readings-rejected', `the flow rejected ${rejected} readings of the day`);
          parts.push({ notice, error });
        }
      }
    }
  }
  return { batches: rows.finish(), parts, made: madeByRun.finish() };
}

/** Days that follow each other, or nearly, so that their windows are read once. */
function runsOf(due: DueDays): DueDays[] {
  const runs: number[][] = [];
  for (const day of due.days) {
    const last = runs.at(-1);
    if (last !== undefined && day - (last[0] as number) < daysTogetherMax) {
      last.push(day);
    } else {
      runs.push([day]);
    }
  }
  return runs.map((days) => ({ ...due, days }));
}

interface RanDay {
  readonly due: DueDays;
  readonly dayMs: readonly [fromMs: number, toMs: number];
  readonly outcome: readonly DayOutcome[] | HaltedError;
  readonly made: MadeBySeries;
}

interface TenantRuns {
  readonly ports: SeriesFlowPorts;
  readonly work: TenantWork;
  readonly madeByRun: MadeByRun;
}

async function runSeries({ ports, work, madeByRun }: TenantRuns, due: DueDays): Promise<RanDay[]> {
  const { tenant, newest, activations, emits, settings, ticket } = work;
  const { meter, channel } = due.series;
  const needs = activations.flatMap(({ flow }) => channelNeeds(flow, due.series) ?? []);
  const backDays = Math.max(0, ...needs.map(({ lookBackDays }) => lookBackDays));
  const reads = [...new Set(needs.flatMap((each) => each.reads))];
  const settingsOf = (name: string): ReturnType<SettingsSnapshot['of']> => settings.of(meter, name);
  const own = settingsOf(channel);
  const closedThroughMs = work.closedThroughMs.get(due.timeZone) ?? 0;
  const firstEndMs = calendarOf(due.timeZone).dayStartMs((due.days[0] as number) + 1);
  const made = await madeByRun.of(due.series, { hasClosed: firstEndMs <= closedThroughMs });
  const inputs = await readInputs(ports.readings, {
    ...{ tenant, due, reads, backDays, intervalMsOf: (name, atMs) => intervalMsAt(settingsOf(name), atMs) },
    emits: emits.filter((name) => name !== channel),
    aheadDays: Math.max(0, ...needs.map(({ lookAheadDays }) => lookAheadDays)),
    ...{ sinceMs: own.sinceMs, closedThroughMs, made: made.known.spans },
  });
  const { unit } = own;
  const facts = {
    tenant,
    series: due.series,
    unit,
    tagsAt: (atMs: number) => tagsAt(own, atMs),
    closedThroughMs,
    activation: newest.number,
    days: inputs.days,
  };
  const windows = new SeriesWindows(facts, inputs.own, inputs.others);
  const together = new SeriesDays(
    { sandbox: ports.sandbox, runFlow },
    { facts, inputs, windows, activations, ticket },
    due.days.map((number) => number - inputs.days.firstDay),
  );
  const ran: RanDay[] = [];
  for (const number of due.days) {
    const day = number - inputs.days.firstDay;
    const dayMs = [inputs.days.startMs[day] as number, inputs.days.startMs[day + 1] as number] as const;
    const outcome = await together.run(day).catch((error: unknown) => {
      if (error instanceof HaltedError) {
        return error;
      }
      throw error;
    });
    ran.push({ due, dayMs, outcome, made });
  }
  return ran;
}

/** What a parked day is released by, and a rejected one tried again: a notice of it alone, stamped below everything. */
function dayNotice({ tenant }: TenantWork, { series }: DueDays, [fromMs, toMs]: RanDay['dayMs']): StoredNotice {
  const touched = {
    series: [series],
    index: Uint32Array.of(0),
    fromMs: Float64Array.of(fromMs),
    toMs: Float64Array.of(toMs),
  };
  const named = JSON.stringify([tenant, series.meter, series.channel, fromMs, toMs]);
  const key = createHash('sha256').update(named).digest('hex').slice(0, 32);
  return { tenant, layer: 'raw', activation: 0, key, causes: [], touched };
}

function partOf(notice: StoredNotice): { readonly key: string; readonly payload: Uint8Array } {
  return { key: `${notice.tenant}/${notice.key}`, payload: encodeStoredNotice(notice) };
}

function transformed(batch: ReadingBatch, topic: string): OutgoingMessage {
  return { topic, payload: encodeReadingBatch(batch), attributes: messageAttributes('ReadingBatch', batch.tenant) };
}
