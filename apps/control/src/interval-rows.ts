import {
  dayMs,
  expectedCount,
  fitsSlots,
  formatSum,
  MemberContribution,
  qualityCount,
  roundedContribution,
  type Contribution,
  type MemberStretch,
} from '@meterflow/aggregates';
import { exactNumber, Problem } from '@meterflow/http';
import type { Segment } from '@meterflow/idempotent-writes';
import { missingCode, qualities, utcText, type Quality } from '@meterflow/readings';
import { groupOfMeter, registerOfChannel } from '@meterflow/registry';
import type { WindowRow, WindowsAsked } from './aggregate-rows.ts';
import { graceMsDefault } from './day-closer.ts';
import type { ControlPorts } from './ports.ts';
import type { SeriesDays } from './series-days.ts';

export type IntervalPorts = Pick<ControlPorts, 'readings'>;

export interface IntervalsAsked extends Omit<WindowsAsked, 'resolution'> {
  readonly resolution: string;
  readonly slotMs: number;
}

/**
 * Windows of one length from local midnight on, made of the readings when they are asked for: longer readings are shared out,
 * so that the parts add up to them at the decimals that they have; shorter ones are summed. A window without a value has
 * no row. Throws Problem `invalid-request` for a group or a register, which have no readings, and where readings neither
 * divide the windows nor are divided by them.
 */
export async function intervalRows(
  ports: IntervalPorts,
  days: SeriesDays,
  asked: IntervalsAsked,
): Promise<readonly WindowRow[]> {
  const { tenant, meter, channel, fromMs, toMs } = asked;
  if (groupOfMeter(meter) !== undefined || registerOfChannel(channel) !== undefined) {
    throw new Problem('invalid-request', 'a group or a register has hours, days, months and years alone: no readings');
  }
  const { calendar } = days;
  const [firstDay, endDay] = [calendar.dayOf(fromMs), calendar.dayOf(toMs - 1) + 1];
  const span = { fromMs: calendar.dayStartMs(firstDay), toMs: calendar.dayStartMs(endDay) };
  // Readings of the day before may reach over midnight.
  const leadMs = Math.max(dayMs, ...days.intervals.map(({ intervalMs = 0 }) => intervalMs));
  const layer = 'validated';
  const lead = { tenant, meter, channel, layer, fromMs: span.fromMs - leadMs, toMs: span.toMs } as const;
  const segments = await ports.readings(layer).read(lead);
  const contributions = new MemberContribution();
  const rows: WindowRow[] = [];
  for (let day = firstDay; day < endDay; day++) {
    const slots = { startMs: calendar.dayStartMs(day), endMs: calendar.dayStartMs(day + 1), slotMs: asked.slotMs };
    const reach = { startMs: slots.startMs - leadMs, endMs: slots.endMs };
    const own = segmentsWithin(segments, slots);
    const reaching = segmentsWithin(segments, reach);
    if (slots.startMs < slots.endMs && reaching.length > 0) {
      const told = own.length > 0 ? own : reaching;
      const unit = days.unit ?? unitOf(told);
      const exact = contributions.of(
        { ...slots, unit, stretches: stretchesOf(days, reach) },
        reaching.map(({ columns }) => columns),
      );
      const decimals = told.reduce((most, { columns }) => Math.max(most, columns.decimals), 0);
      const carried = carryMs(stretchesOf(days, slots), asked);
      const found = rowsOf(roundedContribution(exact, { decimals, carryMs: carried }), asked);
      if (found.length === 0) {
        requireFitting(own, asked);
      }
      rows.push(...found);
    }
  }
  return rows.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
}

function segmentsWithin(
  segments: readonly Segment[],
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): readonly Segment[] {
  return segments.filter(({ day }) => (day + 1) * dayMs > startMs && day * dayMs < endMs);
}

/** An empty answer would say that nothing came. */
function requireFitting(segments: readonly Segment[], { resolution, slotMs }: IntervalsAsked): void {
  const lengths = segments.flatMap(({ columns }) => [...columns.spans.lengthMs]).filter((lengthMs) => lengthMs > 0);
  const [lengthMs] = lengths;
  if (lengthMs !== undefined && !lengths.some((each) => fitsSlots(each, slotMs))) {
    const minutes = lengthMs / 60_000;
    const detail = `readings of ${minutes} minutes can't be brought to windows of ${resolution}: one must divide the other`;
    throw new Problem('invalid-request', detail);
  }
}

function unitOf(segments: readonly Segment[]): string {
  const [first] = segments;
  return first?.columns.texts[first.columns.unit.values[0] ?? 0] ?? '';
}

function stretchesOf(
  { intervals }: SeriesDays,
  { startMs, endMs }: { startMs: number; endMs: number },
): MemberStretch[] {
  const changes = intervals.map(({ fromMs }) => fromMs).filter((at) => at > startMs && at < endMs);
  const bounds = [startMs, ...changes, endMs];
  return bounds.slice(1).map((toMs, index) => {
    const fromMs = bounds[index] as number;
    return { fromMs, toMs, intervalMs: intervals.findLast((each) => each.fromMs <= fromMs)?.intervalMs };
  });
}

/** Within the longest interval of the day, what rounding leaves is carried on; where none is registered, within an hour. */
function carryMs(stretches: readonly MemberStretch[], { slotMs }: IntervalsAsked): number {
  return Math.max(slotMs, ...stretches.map(({ intervalMs = 3_600_000 }) => intervalMs));
}

function rowsOf(contribution: Contribution, asked: IntervalsAsked): WindowRow[] {
  const { startMs: dayStartMs, endMs: dayEndMs, slotMs, unit, decimals } = contribution;
  const rows: WindowRow[] = [];
  for (let slot = 0; slot < contribution.sumLow.length; slot++) {
    const code = qualities.findIndex((_, quality) => qualityCount(contribution, slot, quality) > 0);
    if (expectedCount(contribution, slot) === 0 || code === missingCode) {
      continue;
    }
    const startMs = dayStartMs + slot * slotMs;
    const endMs = Math.min(startMs + slotMs, dayEndMs);
    const quality = qualities[code] as Quality;
    const state = endMs + graceMsDefault <= asked.nowMs ? 'final' : 'complete';
    const sum = formatSum(contribution.sumHigh[slot] as number, contribution.sumLow[slot] as number, decimals);
    const { meter, channel, resolution } = asked;
    const span = { start: utcText(startMs), end: utcText(endMs) };
    const json = { meter, channel, resolution, ...span, sum: exactNumber(sum), unit, quality, state };
    rows.push({ startMs, lengthMs: endMs - startMs, quality, state, json });
  }
  return rows;
}
