import { describe, expect, test } from 'vitest';
import type { CsvRow } from './csv-table.ts';
import { firstDifference } from './first-difference.ts';

const row = (changes: Partial<Record<string, string>> = {}): CsvRow => ({
  grid_area_code: '800',
  energy_supplier_id: '',
  balance_responsible_party_id: '',
  neighbor_grid_area_code: '',
  metering_point_id: '',
  quantity: '1.250',
  quantity_qualities: "['measured', 'missing']",
  time: '2023-07-02T02:00:00Z',
  time_series_type: 'production',
  result_id: 'b5e38f8d',
  resolution: 'PT15M',
  ...(changes as CsvRow),
});
const later = row({ time: '2023-07-02T02:15:00Z' });

describe('comparing results', () => {
  test('takes rows in any order, sets in any order, and numbers and instants however they are written', () => {
    const theirs = [later, row({ quantity_qualities: "['missing', 'measured']", time: '2023-07-02 02:00:00' })];
    expect(firstDifference([row(), later], theirs)).toBeUndefined();
    const otherwise = { quantity: '1.25', quantity_qualities: '["missing","measured"]' };
    const times = ['2023-07-02T02:00:00.000Z', '2023-07-02T04:00:00+02:00', '2023-07-02 02:00:00+00:00'];
    for (const time of times) {
      expect(firstDifference([row()], [row({ ...otherwise, time })])).toBeUndefined();
    }
  });

  test.each([
    ['quantity', '1.251'],
    ['quantity_qualities', "['measured']"],
    ['time_series_type', 'grid_loss'],
    ['result_id', 'other'],
    ['resolution', 'PT1H'],
  ])('tells another %s', (column, value) => {
    expect(firstDifference([row()], [row({ [column]: value })])).toContain(`expected ${column} ${value}`);
  });

  test.each([
    ['grid_area_code', '801'],
    ['energy_supplier_id', '1000'],
    ['neighbor_grid_area_code', '803'],
    ['metering_point_id', '17'],
    ['time', '2023-07-02T03:00:00Z'],
  ])('tells a row of another %s', (column, value) => {
    expect(firstDifference([row()], [row({ [column]: value })])).toContain('there is no such row');
  });

  test('tells a row too many, one too few, and one twice', () => {
    expect(firstDifference([row(), later], [row()])).toContain('no such row is expected');
    expect(firstDifference([row()], [row(), later])).toContain('there is no such row');
    expect(firstDifference([row()], [row(), row()])).toContain('there is no such row');
  });

  test('leaves the names of results alone where a file has none', () => {
    expect(firstDifference([row(), later], [row({ result_id: '' }), { ...later, result_id: '' }])).toBeUndefined();
  });
});
