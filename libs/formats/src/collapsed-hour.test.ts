import type { Remark } from '@meterflow/receipts';
import { ReadingCursor } from '@meterflow/readings';
import { describe, expect, test } from 'vitest';
import { atOneGo, createReader, defaultMapping, type Mapping } from './index.ts';

const header = 'meter_id,channel,start,value,unit\n';
const headerWithEnds = 'meter_id,channel,start,end,value,unit\n';
const local: Mapping = { ...defaultMapping, time: { ...defaultMapping.time, zone: 'Europe/Madrid' } };

function stamp(day: string, minutes: number): string {
  return `${day}T${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}:00`;
}

/** A line for each of the stamps. */
const lines = (stamps: readonly string[], meter = 'ES0021'): string =>
  stamps.map((each) => `${meter},import,${each},1,kWh\n`).join('');
/** As a clock shows them, an hour or a quarter apart, each once. */
const dayOnce = (day: string, stepMinutes: number): string[] =>
  Array.from({ length: (24 * 60) / stepMinutes }, (_, slot) => stamp(day, slot * stepMinutes));

interface Read {
  readonly remarks: readonly Remark[];
  readonly missing: number;
  readonly accepted: number;
  /** Starts and lengths in minutes, as `00:00Z+60`. */
  readonly readings: readonly string[];
}

function remarked(text: string, mapping: Mapping, columns = header): Read {
  const remarks: Remark[] = [];
  const readings: string[] = [];
  const reader = createReader('csv', {
    mapping,
    header: { tenant: 't', layer: 'raw', sourceId: 's-1', acceptedAtMs: Date.UTC(2025, 0, 1), activation: 1 },
    onBatch: (batch) => {
      for (const cursor = new ReadingCursor(batch.columns); cursor.next();) {
        const minutes = cursor.lengthMs / 60_000;
        readings.push(`${new Date(cursor.startMs).toISOString().slice(11, 16)}Z+${minutes}`);
      }
    },
    onRejects: (rejects) => {
      throw new Error(rejects[0]?.reason);
    },
    onRemarks: (some) => remarks.push(...some),
  });
  atOneGo(reader.push(Buffer.from(columns + text)));
  atOneGo(reader.end());
  return { remarks, missing: reader.remarked.missing, accepted: reader.counts.accepted, readings };
}

describe('an hour that clocks show twice and that a source brings once', () => {
  test.each([
    [60, 24, '1 reading is missing'],
    [15, 96, '4 readings are missing'],
  ])('is told with series and day, in steps of %i minutes', (stepMinutes, count, missing) => {
    const days = ['2024-10-26', '2024-10-27', '2024-10-28'].flatMap((day) => dayOnce(day, stepMinutes));
    const { remarks, accepted } = remarked(lines(days), local);
    expect(accepted).toBe(3 * count);
    expect(remarks).toEqual([
      {
        line: 2 + count + (3 * 60) / stepMinutes,
        column: '',
        code: 'collapsed-hour',
        reason:
          'on 2024-10-27, a day of 25 hours, the clocks show 02:00 to 03:00 twice, and it came once: ' +
          `${missing}, from 2024-10-27T01:00:00Z to 2024-10-27T02:00:00Z`,
        text: 'ES0021,import',
      },
    ]);
  });

  test('is told of every series, also where stamps are of the end', () => {
    const ends: Mapping = { ...local, time: { ...local.time, label: 'end' } };
    const both = ['A', 'B'].map((meter) => lines(dayOnce('2024-10-27', 60), meter)).join('');
    const { remarks, missing } = remarked(both, ends);
    expect(remarks.map(({ code, text }) => `${code} ${text}`)).toEqual([
      'collapsed-hour A,import',
      'collapsed-hour B,import',
    ]);
    expect(missing).toBe(2);
  });

  test('is nothing to tell where it comes twice', () => {
    const hours = dayOnce('2024-10-27', 60);
    expect(remarked(lines([...hours.slice(0, 3), ...hours.slice(2)]), local).remarks).toEqual([]);
    const quarters = dayOnce('2024-10-27', 15);
    expect(remarked(lines([...quarters.slice(0, 12), ...quarters.slice(8)]), local).remarks).toEqual([]);
  });

  test('is a gap like any other where more is missing, where stamps tell their offset, and on other days', () => {
    const codes = (stamps: readonly string[]): readonly string[] =>
      remarked(lines(stamps), local).remarks.map(({ code }) => code);
    const hours = dayOnce('2024-10-27', 60);
    expect(codes(hours.filter((_, hour) => hour !== 3))).toEqual(['gap']);
    expect(codes(dayOnce('2024-10-26', 60).filter((_, hour) => hour !== 3))).toEqual(['gap']);
    const offsets = hours.map((each, hour) => `${each}${hour < 3 ? '+02:00' : '+01:00'}`);
    expect(codes(offsets)).toEqual(['gap']);
  });
});

describe('an hour that clocks show twice, of a source that tells ends as well', () => {
  const day = '2024-10-27';
  const ended = (starts: readonly number[], stepMinutes: number): string =>
    starts
      .map((minutes) => `ES0021,import,${stamp(day, minutes)},${stamp(day, minutes + stepMinutes)},1,kWh\n`)
      .join('');
  const read = (starts: readonly number[], stepMinutes: number) =>
    remarked(ended(starts, stepMinutes), local, headerWithEnds);
  const from = (first: number, last: number, step: number): number[] =>
    Array.from({ length: (last - first) / step }, (_, index) => first + index * step);

  test.each([60, 30, 15])('is told where it comes once, in steps of %i minutes, and no reading is longer', (step) => {
    const { remarks, readings, missing } = read(from(0, 360, step), step);
    expect(remarks.map(({ code }) => code)).toEqual(['collapsed-hour']);
    expect(missing).toBe(60 / step);
    expect(new Set(readings.map((reading) => reading.split('+')[1]))).toEqual(new Set([String(step)]));
    expect(readings).toContain(`00:00Z+${step}`);
    expect(readings.some((reading) => reading.startsWith('01:'))).toBe(false);
  });

  test.each([60, 30, 15])('is two where it comes twice, in steps of %i minutes', (step) => {
    const { remarks, readings } = read([...from(0, 180, step), ...from(120, 360, step)], step);
    expect(remarks).toEqual([]);
    expect(readings).toHaveLength(420 / step);
    expect(new Set(readings.map((reading) => reading.split('+')[1]))).toEqual(new Set([String(step)]));
  });

  test('is part of what is longer, and of what tells its offset', () => {
    expect(read([60], 120).readings).toEqual(['23:00Z+180']);
    const offsets = `ES0021,import,${day}T02:00:00+02:00,${day}T03:00:00+01:00,1,kWh\n`;
    expect(remarked(offsets, local, headerWithEnds).readings).toEqual(['00:00Z+120']);
  });
});
