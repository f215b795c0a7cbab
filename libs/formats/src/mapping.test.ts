import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtInMappings, defaultMapping, londonMapping } from './built-in-mappings.ts';
import { mappingForHeader } from './mapping-for-header.ts';
import { InvalidMappingError, mappingJsonSchema, parseMapping } from './mapping.ts';

const smallest = {
  name: 'smallest',
  meter: { column: 'm' },
  channel: { constant: 'import' },
  time: { column: 't' },
  value: { column: 'v' },
  unit: { constant: 'kWh' },
};

function problemsOf(input: unknown): readonly string[] {
  try {
    parseMapping(input);
  } catch (error) {
    if (error instanceof InvalidMappingError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

describe('a mapping', () => {
  test('needs little; the rest has defaults', () => {
    expect(parseMapping(smallest)).toMatchObject({
      delimiter: ',',
      header: true,
      skipLines: 0,
      time: { format: 'iso', zone: 'UTC', label: 'start' },
      interval: { length: 'auto', offGrid: 'reject' },
      value: { decimalsMax: 9, decimalMark: '.', nullTexts: ['', 'null', 'nan'] },
      onBadLine: 'skip',
    });
  });

  test('is told all that is wrong with it at once, unknown keys too', () => {
    const problems = problemsOf({
      ...smallest,
      name: 'Not A Name',
      colour: 'red',
      time: { column: 't', zone: 'Mars/Olympus', format: 'YYYY', lable: 'end' },
      value: { column: '', decimalsMax: 12 },
      interval: { length: '15 minutes' },
      unit: { constant: 'horse' },
    });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(
      expect.arrayContaining([
        'name',
        'mapping',
        'time.zone',
        'time.format',
        'time',
        'value.column',
        'value.decimalsMax',
        'interval.length',
        'unit',
      ]),
    );
  });

  test.each([
    [{ ...smallest, time: { column: 't', label: 'end' }, interval: { end: { column: 'e' } } }, 'interval.end'],
    [{ ...smallest, time: { column: 't', label: 'end' }, interval: { length: 'register' } }, 'time.label'],
    [{ ...smallest, channel: { constant: ' import' } }, 'channel.constant'],
    [{ ...smallest, time: { column: 't', format: 'DD.MM.YY' } }, 'time.format'],
    [{ ...smallest, time: { column: 't', zone: '+01:00' } }, 'time.zone'],
    [{ ...smallest, meter: { column: 0 } }, 'meter.column'],
  ])('must not contradict itself: %#', (input, path) => {
    expect(problemsOf(input).map((problem) => problem.split(':')[0])).toContain(path);
  });

  test('is described for editors by the committed JSON Schema (scripts/write-schema.ts writes it)', () => {
    const file = join(import.meta.dirname, '../mapping.schema.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(mappingJsonSchema());
  });
});

describe('the mapping for a header', () => {
  const choose = (text: string) => mappingForHeader(new TextEncoder().encode(text), builtInMappings)?.name;

  test.each([
    ['meter_id,channel,start,value,unit\n', 'default'],
    ['\ufeffunit,value,start,channel,meter_id,extra\r\n1,2,3', 'default'],
    ['LCLid,DateTime,KWH/hh (per half hour)\n', 'london'],
    ['LCLid,stdorToU,DateTime,KWH/hh (per half hour) ,Acorn,Acorn_grouped\n', 'london'],
    ['LCLid,tstp,energy_kWh\r\n', 'london'],
    ['LCLid,tstp,energy(kWh/hh)\n', 'london'],
    ['lclid,"DateTime",energy_kwh\n', 'london'],
    ['\n\nmeter_id,channel,start,value,unit', 'default'],
    ['meter_id;channel;start;value;unit\n', undefined],
    ['', undefined],
    ['{"meter":1}', undefined],
    ['"meter_id,channel', undefined],
  ])('%j is %s', (header, name) => {
    expect(choose(header)).toBe(name);
  });

  test('comes from the tenant’s own first, in their order', () => {
    const own = parseMapping({
      ...londonMapping,
      name: 'our-london',
      description: 'labelled by the end',
      time: { ...londonMapping.time, label: 'end' },
    });
    const header = new TextEncoder().encode('LCLid,tstp,energy_kWh\n');
    expect(mappingForHeader(header, [own, ...builtInMappings])?.name).toBe('our-london');
    expect(
      mappingForHeader(header, [parseMapping({ ...londonMapping, header: false }), defaultMapping]),
    ).toBeUndefined();
  });
});
