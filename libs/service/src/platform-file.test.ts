import { madeKeptDays } from '@meterflow/registry';
import { describe, expect, test } from 'vitest';
import { builtInPlatform, ConfigurationError, parsePlatformFile, platformJsonSchema } from './index.ts';

const parse = (file: unknown) => parsePlatformFile(JSON.stringify(file), 'platform.json');

describe('a platform file', () => {
  test('says what is built in where it says nothing', () => {
    expect(parse({})).toEqual(builtInPlatform);
    expect(builtInPlatform).toMatchObject({ lanes: ['live', 'bulk'], messages: { ackDeadlineSeconds: 60 } });
    expect(builtInPlatform.warehouse).toBeUndefined();
  });

  test('may say a part, with a schema for editors beside it', () => {
    const declared = parse({ $schema: './platform.schema.json', warehouse: { dataset: 'metering', location: 'EU' } });
    expect(declared).toEqual({ ...builtInPlatform, warehouse: { dataset: 'metering', location: 'EU' } });
    expect(platformJsonSchema()).toMatchObject({ properties: { lanes: {}, warehouse: {} } });
  });

  test('that does not fit names every problem at once, unknown keys among them', () => {
    const wrong = {
      lanes: ['live', 'live', 'Bulk'],
      messages: { ackDeadlineSeconds: 5, retention: 7 },
      warehouse: { dataset: 'a-b' },
      redis: {},
    };
    expect(() => parse(wrong)).toThrow(ConfigurationError);
    for (const problem of [/lanes\[2\]/, /ackDeadlineSeconds/, /"retention"/, /dataset/, /location/, /"redis"/]) {
      expect(() => parse(wrong)).toThrow(problem);
    }
    expect(() => parse({ lanes: ['live', 'live'] })).toThrow(/each lane once/);
  });

  test('keeps the days of a month for as long as a reading of it may come', () => {
    const kept = (readings: number, dayAggregates: number, monthAggregates: number) =>
      parse({ tables: { retentionDays: { readings, dayAggregates, monthAggregates } } });
    expect(kept(100, 131, 131).tables.retentionDays.readings).toBe(100);
    expect(() => kept(100, 130, 131)).toThrow(/all of its days/);
    expect(() => kept(100, 131, 130)).toThrow(/as long as dayAggregates/);
  });

  test('keeps no message for longer than it is known what a series flow made of a day', () => {
    const retentionDays = madeKeptDays - 1;
    expect(parse({ messages: { retentionDays } }).messages.retentionDays).toBe(retentionDays);
    expect(() => parse({ messages: { retentionDays: madeKeptDays } })).toThrow(ConfigurationError);
  });

  test('that is no JSON says where', () => {
    expect(() => parsePlatformFile('{', 'platform.json')).toThrow(/platform\.json is not JSON/);
  });
});
