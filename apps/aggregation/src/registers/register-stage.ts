import { AggregateBatchBuilder, appendFormerWindows, calendarOf, dayMs, RegisterSheets } from '@meterflow/aggregates';
import { encodeAggregateBatch, messageAttributes, topicName, type Lane } from '@meterflow/contracts';
import type { ContributionWrite, ReadingStore } from '@meterflow/idempotent-writes';
import type { StoredNotice } from '@meterflow/readings';
import { registerChannel } from '@meterflow/registry';
import type { OutgoingMessage, Stage } from '@meterflow/stage';
import type { MemberReads, MemberStage } from '../groups/member-stage.ts';
import { notBillableOf } from '../series-zones.ts';
import { readRegisters, type RegisterRun, type TenantRegisters } from './register-reads.ts';
import type { TenantCalendars } from './register-zones.ts';

export interface RegisterPorts {
  /** The store of layer validated. */
  readonly readings: ReadingStore;
  readonly calendars: TenantCalendars;
}

export interface RegisterReads {
  readonly members: MemberReads;
  /** Of tenants that have calendars. */
  readonly registers: readonly TenantRegisters[];
}

export type RegisterStage = Stage<StoredNotice, RegisterReads, ContributionWrite>;

/** So many sheets of one row, with the longest names, come to 256 KB. */
const sheetsPerMessageMax = 500;

/**
 * The stage of hours, days and members, which also computes gas days and tariff registers of the series that have
 * calendars, from the same readings and under the same ticket. They are stored as days of a channel of their own, so that
 * months follow by themselves. A tenant without calendars costs nothing more.
 */
export function registerStage(
  stage: MemberStage,
  { calendars, readings }: RegisterPorts,
  { lane }: { readonly lane: Lane },
): RegisterStage {
  return {
    ...stage,
    read: async (inputs) => {
      // The ticket is taken in here, before anything is read: the calendars are looked at after it as well.
      const members = await stage.read(inputs);
      const registers: TenantRegisters[] = [];
      for (const read of members.days) {
        const snapshot = await calendars.snapshot(read.tenant);
        if (!snapshot.isEmpty) {
          registers.push(await readRegisters(readings, read, snapshot));
        }
      }
      return { members, registers };
    },
    handle: async (inputs, { members, registers }) => {
      const handled = await stage.handle(inputs, members);
      const messages = registers.flatMap((tenant) => messagesOf(tenant, lane));
      const all = [...inputs.keys()];
      return {
        ...handled,
        messages: [...handled.messages, ...messages],
        ...(handled.messagesOf === undefined
          ? {}
          : { messagesOf: [...handled.messagesOf, ...messages.map(() => all)] }),
      };
    },
  };
}

function messagesOf({ tenant, ticket, runs }: TenantRegisters, lane: Lane): OutgoingMessage[] {
  const builder = new AggregateBatchBuilder();
  const sheets = new RegisterSheets();
  const messages: OutgoingMessage[] = [];
  const finish = (): void => {
    if (builder.sheetCount > 0) {
      // No causes: receipts tell of hours, days and months, and wait for no calendar.
      const payload = encodeAggregateBatch(builder.finish({ tenant, level: 'day', ticket, causes: [] }));
      const topic = topicName('aggregates', lane);
      messages.push({ topic, payload, attributes: messageAttributes('AggregateBatch', tenant) });
    }
  };
  for (const run of runs) {
    const sheetsPerDay = Math.max(1, run.registers.length + run.former.length);
    const daysTogether = Math.max(1, Math.floor(sheetsPerMessageMax / sheetsPerDay));
    for (let firstDay = run.firstDay; firstDay < run.endDay; firstDay += daysTogether) {
      const endDay = Math.min(run.endDay, firstDay + daysTogether);
      if (builder.sheetCount + (endDay - firstDay) * sheetsPerDay > sheetsPerMessageMax) {
        finish();
      }
      appendRun(builder, sheets, { ...run, firstDay, endDay });
    }
  }
  finish();
  return messages;
}

function appendRun(builder: AggregateBatchBuilder, sheets: RegisterSheets, run: RegisterRun): void {
  const { series, zone, calendar, days, firstDay, endDay, registers } = run;
  const names = [...registers, ...run.former].map((name) => registerChannel(series.channel, calendar, name));
  const indexes = names.flatMap((name) => (name === undefined ? [] : [builder.series(series.meter, name)]));
  if (indexes.length < names.length) {
    // A channel so long that its registers would have no name: said in docs/aggregates.md.
    return;
  }
  const span = { fromMs: days.calendar.dayStartMs(firstDay), toMs: days.calendar.dayStartMs(endDay) };
  if (registers.length > 0) {
    const columns = run.segments
      .filter(({ day }) => (day + 1) * dayMs > span.fromMs && day * dayMs < span.toMs)
      .map((segment) => segment.columns);
    const own = indexes.slice(0, registers.length);
    sheets.append(
      builder,
      { series: own, days, firstDay, endDay, intervals: zone.intervals ?? [], notBillableCodes: notBillableOf(zone) },
      columns,
    );
  }
  for (const index of indexes.slice(registers.length)) {
    for (let day = firstDay; day < endDay; day++) {
      const [startMs, endMs] = [days.calendar.dayStartMs(day), days.calendar.dayStartMs(day + 1)];
      if (startMs < endMs) {
        builder.begin({ series: index, startMs, endMs, unit: builder.text(''), decimals: 0 });
      }
    }
  }
  const former = (zone.formerTimeZones ?? []).map((each) => calendarOf(each, days.plan.dayStartsAtMs));
  for (const index of former.length === 0 ? [] : indexes) {
    appendFormerWindows(builder, { series: index, level: 'day', calendar: days.calendar, former, ...span });
  }
}
