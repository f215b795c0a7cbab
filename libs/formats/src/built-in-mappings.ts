import { parseMapping, type Mapping } from './mapping.ts';

/** What needs no mapping: `meter_id,channel,start,value,unit`, by name in any order, times in UTC or with an offset. */
export const defaultMapping: Mapping = parseMapping({
  name: 'default',
  description: 'meter_id,channel,start,value,unit, and where present end, quality, version.',
  meter: { column: ['meter_id', 'meter'] },
  channel: { column: 'channel' },
  time: { column: 'start' },
  interval: { end: { column: 'end', optional: true } },
  value: { column: 'value' },
  unit: { column: 'unit' },
  quality: { column: 'quality', optional: true },
  version: { column: 'version', optional: true, kind: 'revision' },
});

/**
 * The files of the Low Carbon London trial. Their stamps are UTC all year: every household has readings at 01:00 and
 * 01:30 on 2013-03-31, which London's clocks skipped, and each half hour of 2013-10-27 only once. The publisher does
 * not say whether a stamp is the start or the end of its half hour; we take the start, as its users do.
 */
export const londonMapping: Mapping = parseMapping({
  name: 'london',
  description: 'Low Carbon London, half-hourly, as published and as in its common derivatives.',
  meter: { column: 'LCLid' },
  channel: { constant: 'import' },
  time: { column: ['DateTime', 'tstp'] },
  interval: { length: '30m' },
  value: { column: ['KWH/hh (per half hour)', 'energy(kWh/hh)', 'energy_kWh'] },
  unit: { constant: 'kWh' },
});

export const builtInMappings: readonly Mapping[] = [defaultMapping, londonMapping];
