import { dayMs, formatSum, SheetCursor, wholeWindow, type AggregateBatch } from '@meterflow/aggregates';
import { readingColumns, type WrittenReading } from '@meterflow/aggregates/testing';
import { decodeAggregateBatch } from '@meterflow/contracts';
import type { ContributionStore, ReadingStore, Tickets } from '@meterflow/idempotent-writes';
import { MemoryContributions } from '@meterflow/idempotent-writes/testing';
import type { SeriesName, StoredNotice } from '@meterflow/readings';
import {
  groupMeter,
  groupSchema,
  type GroupDefinition,
  type GroupRequest,
  type GroupsSnapshot,
  type Member,
  type Membership,
} from '@meterflow/registry';
import type { LeasedMessage, OutgoingMessage, Stage } from '@meterflow/stage';
import { aggregationStage } from '../aggregation-stage.ts';
import { groupZones, type TenantGroups } from '../groups/group-zones.ts';
import { memberStage } from '../groups/member-stage.ts';
import { nodeStage } from '../groups/node-stage.ts';
import { utcZones, type SeriesZones } from '../series-zones.ts';
import { keyOf, notice, touchedSpans, type TouchedSpan } from './notices.ts';

export const quarterMs = 900_000;
export const always = { fromMs: -8e15, toMs: 8e15, factor: '1' } as const;

/** A tenant's groups as a test sets them; series are members as `members` says. */
export class TestGroups implements TenantGroups {
  readonly #definitions = new Map<string, GroupDefinition>();
  readonly #former = new Map<string, readonly string[]>();
  readonly #members = new Map<string, Membership[]>();
  /** How often a snapshot was asked about series. */
  asked = 0;

  /** In UTC, by the quarter hour, unless told otherwise. */
  put(request: Partial<GroupRequest> & Pick<GroupRequest, 'name' | 'source'>): void {
    const definition = groupSchema.parse({ timeZone: 'UTC', intervalMs: quarterMs, ...request });
    const before = this.#definitions.get(definition.name);
    if (before !== undefined && before.timeZone !== definition.timeZone) {
      this.#former.set(definition.name, [before.timeZone]);
    }
    this.#definitions.set(definition.name, definition);
  }

  /** What a series belongs to from now on. */
  setMember(meter: string, memberships: readonly Membership[]): void {
    this.#members.set(meter, [...memberships]);
  }

  snapshot = (): Promise<GroupsSnapshot> => {
    const definitions = new Map(this.#definitions);
    const members = new Map(this.#members);
    return Promise.resolve({
      version: 1,
      hasGroups: definitions.size > 0,
      group: (name) => definitions.get(name),
      groups: () => definitions.values(),
      membershipsOf: (series) => {
        this.asked += 1;
        return Promise.resolve(series.map(({ meter }) => members.get(meter) ?? []));
      },
      formerTimeZonesOf: (name) => this.#former.get(name) ?? [],
      parentsOf: (group) => parentsOf([...definitions.values()], group),
      membersOf: (): AsyncIterable<Member> => {
        throw new Error('nobody asks for it here');
      },
      membersPage: () => Promise.reject(new Error('nobody asks for it here')),
      everIn: (): AsyncIterable<SeriesName> => {
        throw new Error('nobody asks for it here');
      },
    });
  };
}

function parentsOf(definitions: readonly GroupDefinition[], group: string): Membership[] {
  return definitions.flatMap(({ name, source }) => {
    if (source.kind === 'children') {
      return source.children
        .filter((child) => child.group === group)
        .map(({ fromMs, toMs }) => ({ group: name, fromMs, toMs, factor: '1' }));
    }
    return source.kind === 'terms'
      ? source.terms
          .filter(({ of }) => 'group' in of && of.group === group)
          .map(({ factor }) => ({ ...always, group: name, factor }))
      : [];
  });
}

/** What the stores were asked for. */
export interface StoreCounts {
  tickets: number;
  readingReads: number;
  nodeReads: number;
  cellWrites: number;
  messages: number;
}

type Work =
  { readonly to: 'days'; readonly notice: StoredNotice } | { readonly to: 'nodes'; readonly message: OutgoingMessage };

/** Thousandths of a kWh, told of unless told otherwise. */
export interface TestReading {
  readonly integer: number;
  /** A quarter hour unless told otherwise. */
  readonly lengthMs?: number;
  readonly isTold?: boolean;
}

/** Chooses one of so many; a test may choose any, to have every order. */
export type Choice = (count: number) => number;

/** The real stages on stores in memory: readings are put, and messages handled until there are none. */
export class GroupWorld {
  readonly groups = new TestGroups();
  readonly contributions: ContributionStore;
  readonly counts: StoreCounts = { tickets: 0, readingReads: 0, nodeReads: 0, cellWrites: 0, messages: 0 };
  readonly #readings = new Map<string, Map<number, WrittenReading>>();
  readonly #work: Work[] = [];
  readonly #sheets = new Map<string, { readonly ticket: number; readonly lines: readonly string[] }>();
  readonly #zones: SeriesZones;
  #ticket = 0;
  #notices = 0;

  constructor({ zones = utcZones }: { readonly zones?: SeriesZones } = {}) {
    this.#zones = zones;
    const memory = new MemoryContributions();
    this.contributions = {
      write: (writes) => {
        this.counts.cellWrites += writes.reduce((sum, { cells }) => sum + cells.length, 0);
        return memory.write(writes);
      },
      read: (node) => {
        this.counts.nodeReads += 1;
        return memory.read(node);
      },
    };
  }

  /** Stores a reading of a meter. */
  put(meter: string, startMs: number, { integer, lengthMs = quarterMs, isTold = true }: TestReading): void {
    const own = this.#readings.get(meter) ?? new Map<number, WrittenReading>();
    this.#readings.set(meter, own);
    const fixed = { lengthMs, decimals: 3, quality: 'measured', unit: 'kWh' } as const;
    own.set(startMs, { startMs, integer, ...fixed });
    if (isTold) {
      this.tell([{ meter, fromMs: startMs, toMs: startMs + lengthMs }]);
    }
  }

  /** Nothing is stored of a meter any more; that is told to nobody. */
  erase(meter: string): void {
    this.#readings.delete(meter);
  }

  /** A notice of stored readings; an order to compute anew where it has no causes. */
  tell(spans: readonly TouchedSpan[], more: Partial<StoredNotice> = {}): void {
    this.#notices += 1;
    this.#work.push({ to: 'days', notice: notice(this.#notices, spans, more) });
  }

  order(spans: readonly TouchedSpan[]): void {
    this.tell(spans, { causes: [], key: keyOf(this.#notices + 1e6), touched: touchedSpans(spans) });
  }

  /** Handles everything, as many messages together as wait. */
  async settle(): Promise<void> {
    while (this.#work.length > 0) {
      const work = this.#work.splice(0);
      await this.#days(work.flatMap((each) => (each.to === 'days' ? [each.notice] : []))).then((commit) => commit());
      await this.#nodes(work.flatMap((each) => (each.to === 'nodes' ? [each.message] : []))).then((commit) => commit());
    }
  }

  /** Handles everything in an order of the test's choice: up to `inFlight` messages are read before others commit. */
  async settleBy(choose: Choice, inFlight: number): Promise<void> {
    const open: (() => Promise<void>)[] = [];
    while (this.#work.length + open.length > 0) {
      const begins = this.#work.length > 0 && open.length < inFlight && choose(2) === 0;
      if (begins || open.length === 0) {
        const [work] = this.#work.splice(choose(this.#work.length), 1);
        // Sometimes it comes twice.
        const twice = choose(4) === 0 ? 2 : 1;
        for (let each = 0; each < twice; each++) {
          open.push(await this.#begin(work as Work));
        }
      } else {
        const [commit] = open.splice(choose(open.length), 1);
        await commit?.();
      }
    }
  }

  /** A group's sums by hour and day, as stored. */
  sums(group: string): readonly string[] {
    return [...this.#sheets]
      .filter(([path]) => path.startsWith(`${groupMeter(group)} `))
      .flatMap(([, { lines }]) => lines)
      .sort();
  }

  #begin(work: Work): Promise<() => Promise<void>> {
    return work.to === 'days' ? this.#days([work.notice]) : this.#nodes([work.message]);
  }

  async #days(notices: readonly StoredNotice[]): Promise<() => Promise<void>> {
    const zones = groupZones(this.#zones, this.groups);
    const ports = { tickets: this.#tickets(), readings: this.#store(), zones };
    const days = aggregationStage(ports, { lane: 'live' });
    const stage = memberStage(days, { ...ports, groups: this.groups }, { lane: 'live' });
    return this.#run(stage, notices);
  }

  async #nodes(messages: readonly OutgoingMessage[]): Promise<() => Promise<void>> {
    const ports = { tickets: this.#tickets(), contributions: this.contributions, groups: this.groups };
    const stage = nodeStage(ports, { lane: 'live' });
    return this.#run(
      stage,
      messages.map((message) => stage.decode(leased(message))),
    );
  }

  /** Reads and computes now; what it comes to is written when the result is called. */
  async #run<Input, Reads>(
    stage: Stage<Input, Reads, Parameters<ContributionStore['write']>[0][number]>,
    inputs: readonly Input[],
  ): Promise<() => Promise<void>> {
    if (inputs.length === 0) {
      return () => Promise.resolve();
    }
    const { writes, messages } = await stage.handle(inputs, await stage.read(inputs));
    return async () => {
      await this.contributions.write(writes);
      this.counts.messages += messages.length;
      for (const message of messages) {
        if (message.topic.startsWith('aggregates.')) {
          this.#keep(decodeAggregateBatch(message.payload));
        } else {
          this.#work.push({ to: 'nodes', message });
        }
      }
    };
  }

  #tickets(): Tickets {
    return {
      take: () => {
        this.counts.tickets += 1;
        this.#ticket += 1;
        return Promise.resolve(this.#ticket);
      },
    };
  }

  #store(): ReadingStore {
    return {
      write: () => Promise.reject(new Error('nothing is written here')),
      read: ({ meter, fromMs, toMs }) => {
        this.counts.readingReads += 1;
        const stored = [...(this.#readings.get(meter)?.values() ?? [])];
        const own = stored.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
        const [first, end] = [Math.floor(fromMs / dayMs), Math.ceil(toMs / dayMs)];
        const days = Array.from({ length: end - first }, (_, index) => first + index);
        const segments = days.map((day) => {
          const within = own.filter(({ startMs }) => Math.floor(startMs / dayMs) === day);
          return { day, columns: readingColumns(within.sort((a, b) => a.startMs - b.startMs)) };
        });
        return Promise.resolve(segments.filter(({ columns }) => columns.values.length > 0));
      },
      firstMs: () => Promise.reject(new Error('nobody asks here where a series begins')),
    };
  }

  #keep(batch: AggregateBatch): void {
    const cursor = new SheetCursor(batch);
    while (cursor.next()) {
      const path = `${cursor.series.meter} ${cursor.series.channel} ${cursor.startMs}`;
      if ((this.#sheets.get(path)?.ticket ?? 0) < batch.ticket) {
        this.#sheets.set(path, { ticket: batch.ticket, lines: linesOf(cursor) });
      }
    }
  }
}

function linesOf(cursor: SheetCursor): string[] {
  const { rows, decimals } = cursor.batch;
  return Array.from({ length: cursor.rows }, (_, index) => {
    const row = cursor.rowsFrom + index;
    const hour = rows.hour[row] as number;
    const sum = formatSum(rows.sumHigh[row] as number, rows.sumLow[row] as number, decimals);
    return `${cursor.startMs / 3_600_000} ${hour === wholeWindow ? 'day' : String(hour)} ${sum} ${String(rows.count[row])}`;
  });
}

function leased({ payload, attributes }: OutgoingMessage): LeasedMessage {
  return { id: '1', payload, attributes, publishedAtMs: 0, deliveryAttempt: 1 };
}
