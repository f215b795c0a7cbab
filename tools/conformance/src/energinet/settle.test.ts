import { instantMsMax } from '@meterflow/registry';
import { describe, expect, test } from 'vitest';
import { energyRows } from './energy-rows.ts';
import { meteringPoints } from './metering-points.ts';
import { instantMs, type MeteringPointPeriod, type Scenario } from './scenario.ts';
import { settle } from './settle.ts';
import { settlementProfile } from './settlement-profile.ts';

// These cases were made from the rule, for what the shared scenarios do not touch.
const start = '2023-07-02 02:00:00';

const period = (id: string, changes: Partial<MeteringPointPeriod> = {}): MeteringPointPeriod => ({
  id,
  type: 'E18',
  settlementMethod: '',
  gridArea: '800',
  resolution: 'PT15M',
  fromArea: '',
  toArea: '',
  supplier: 'S1',
  balanceResponsible: 'B1',
  fromMs: instantMs('2023-01-01'),
  toMs: instantMsMax,
  ...changes,
});
const flex = { type: 'E17', settlementMethod: 'D01' };
const exchange = { type: 'E20', supplier: '', balanceResponsible: '' };
const losses = [period('G17', { ...flex, supplier: 'L1' }), period('G18', { supplier: 'L2' })];

const point = (id: string, time: string, ...[quantity, quality = 'measured']: [string, string?]) => ({
  metering_point_id: id,
  quantity,
  quality,
  observation_time: time,
});

function scenario(changes: Partial<Scenario>): Scenario {
  return {
    gridAreas: ['800'],
    fromMs: instantMs(start),
    toMs: instantMs('2023-07-02 03:00:00'),
    calculationType: 'aggregation',
    calculationId: 'c',
    startedAtMs: 0,
    timeZone: 'Europe/Copenhagen',
    quartersFromMs: instantMs('2023-04-30 22:00:00'),
    points: [],
    gridLossIds: new Set(['G17', 'G18']),
    ...changes,
    periods: [...losses, ...(changes.periods ?? [])],
  };
}

async function settled(given: Scenario): Promise<(name: string) => Record<string, string>[] | undefined> {
  const settlement = settle(settlementProfile, await meteringPoints(given), given);
  return (name) => energyRows(name, settlement, given)?.map((row) => ({ ...row }));
}

/** Quantities in order of time. */
const quantities = (rows: readonly Record<string, string>[] = []): string[] =>
  [...rows].sort((a, b) => ((a['time'] ?? '') < (b['time'] ?? '') ? -1 : 1)).map((row) => row['quantity'] ?? '');
const column = (rows: readonly Record<string, string>[] = [], name: string): (string | undefined)[] =>
  rows.map((row) => row[name]);

describe('a settlement', () => {
  test('of a period that ends by the change to quarters is in hours, each with one quality a metering point', async () => {
    const qualities = (times: readonly string[], kinds: readonly string[], id: string) =>
      times.map((time, index) => point(id, `2023-03-01 0${time}`, '1.001', kinds[index]));
    const quarters = ['0:00', '0:15', '0:30', '0:45'];
    const result = await settled(
      scenario({
        fromMs: instantMs('2023-03-01 00:00:00'),
        toMs: instantMs('2023-03-01 01:00:00'),
        periods: [
          period('M1', { supplier: 'A' }),
          period('M2', { supplier: 'B' }),
          period('M3', { supplier: 'C' }),
          period('M4', { supplier: 'D' }),
        ],
        points: [
          ...qualities(quarters, ['measured', 'measured', 'measured', 'measured'], 'M1'),
          ...qualities(quarters.slice(1), ['measured', 'measured', 'measured'], 'M2'),
          ...qualities(quarters, ['measured', 'estimated', 'missing', 'measured'], 'M3'),
          ...qualities(quarters, ['calculated', 'estimated', 'measured', 'measured'], 'M4'),
        ].map((each) => ({ ...each, quantity: each.quality === 'missing' ? '' : each.quantity })),
      }),
    );
    expect(column(result('temporary_production'), 'resolution')).toEqual(['PT1H']);
    expect(quantities(result('temporary_production'))).toEqual(['14.014']);
    const perSupplier = result('production_per_es')?.filter((row) => row['energy_supplier_id'] !== 'L2');
    expect(perSupplier?.map((row) => [row['energy_supplier_id'], row['quantity'], row['quantity_qualities']])).toEqual([
      ['A', '4.004', "['measured']"],
      ['B', '3.003', "['estimated']"],
      ['C', '3.003', "['estimated']"],
      ['D', '4.004', "['calculated']"],
    ]);
  });

  test('moves a metering point with its settlement method and its supplier, in mid-day', async () => {
    const noon = instantMs('2023-07-02 12:00:00');
    const result = await settled(
      scenario({
        fromMs: instantMs('2023-07-01 22:00:00'),
        toMs: instantMs('2023-07-02 22:00:00'),
        periods: [
          period('M', { ...flex, resolution: 'PT1H', toMs: noon }),
          period('M', { type: 'E17', settlementMethod: 'E02', supplier: 'S2', resolution: 'PT1H', fromMs: noon }),
        ],
        points: [point('M', '2023-07-02T11:00:00Z', '4'), point('M', '2023-07-02T12:00:00Z', '8')],
      }),
    );
    const moved = result('temporary_flex_consumption');
    expect(moved).toHaveLength(4 * 14);
    expect(quantities(moved).slice(-4)).toEqual(['1.000', '1.000', '1.000', '1.000']);
    const after = result('non_profiled_consumption_per_es');
    expect(new Set(column(after, 'energy_supplier_id'))).toEqual(new Set(['S2']));
    expect(quantities(after).slice(0, 4)).toEqual(['2.000', '2.000', '2.000', '2.000']);
    expect(after).toHaveLength(4 * 10);
  });

  test('has rows only while a metering point is connected, of quality missing where nothing came', async () => {
    const result = await settled(
      scenario({
        periods: [period('M', { fromMs: instantMs('2023-07-02 02:15:00'), toMs: instantMs('2023-07-02 02:45:00') })],
        points: [point('M', '2023-07-02T02:00:00Z', '9'), point('M', '2023-07-02T02:15:00Z', '1')],
      }),
    );
    const rows = result('temporary_production');
    expect(column(rows, 'time')).toEqual(['2023-07-02T02:15:00Z', '2023-07-02T02:30:00Z']);
    expect(column(rows, 'quantity')).toEqual(['1.000', '0.000']);
    expect(column(rows, 'quantity_qualities')).toEqual(["['measured']", "['missing']"]);
  });

  test('sees an exchange from both grid areas, net of what goes back, rounded away from zero as a whole', async () => {
    const result = await settled(
      scenario({
        gridAreas: ['800', '801'],
        periods: [
          period('In', { ...exchange, fromArea: '801', toArea: '800', resolution: 'PT1H' }),
          period('Out', { ...exchange, fromArea: '800', toArea: '801' }),
        ],
        points: [
          point('In', '2023-07-02T02:00:00Z', '0.002'),
          ...['00', '15', '30', '45'].map((minute) => point('Out', `2023-07-02T02:${minute}:00Z`, '1')),
        ],
      }),
    );
    const seen = (area: string) => quantities(result('exchange')?.filter((row) => row['grid_area_code'] === area));
    // -0.9995 in each quarter: the halves go away from zero of the net, not of the part that needs rounding.
    expect(seen('800')).toEqual(['-1.000', '-0.999', '-1.000', '-0.999']);
    expect(seen('801')).toEqual(['1.000', '0.999', '1.000', '0.999']);
  });

  test('has balance results only where a calculation is about balance', async () => {
    const periods = [period('M'), period('X', { ...exchange, fromArea: '801', toArea: '800' })];
    const wholesale = await settled(scenario({ calculationType: 'wholesale_fixing', periods }));
    const balance = await settled(scenario({ calculationType: 'balance_fixing', periods }));
    const only = [
      'exchange_per_neighbor',
      'production_per_brp',
      'flex_consumption_per_brp',
      'non_profiled_consumption_per_brp',
    ];
    expect(only.map(wholesale)).toEqual([undefined, undefined, undefined, undefined]);
    expect(only.map((name) => balance(name) !== undefined)).toEqual([true, true, true, true]);
    expect(wholesale('production')).toEqual(
      balance('production')?.map((row) => ({ ...row, calculation_type: 'wholesale_fixing' })),
    );
  });

  test('bills the losses to whoever has the metering point for them at the time', async () => {
    const half = instantMs('2023-07-02 02:30:00');
    const given = scenario({
      periods: [period('X', { ...exchange, fromArea: '801', toArea: '800' })],
      points: ['00', '15', '30', '45'].map((minute) => point('X', `2023-07-02T02:${minute}:00Z`, '2.5')),
    });
    const [g17, g18] = losses as [MeteringPointPeriod, MeteringPointPeriod];
    const result = await settled({
      ...given,
      periods: [{ ...g17, toMs: half }, { ...g17, supplier: 'L9', fromMs: half }, g18, ...given.periods.slice(2)],
    });
    expect(
      result('positive_grid_loss')?.map((row) => [
        row['energy_supplier_id'],
        row['quantity'],
        row['metering_point_id'],
      ]),
    ).toEqual([
      ['L1', '2.500', 'G17'],
      ['L1', '2.500', 'G17'],
      ['L9', '2.500', 'G17'],
      ['L9', '2.500', 'G17'],
    ]);
    expect(quantities(result('negative_grid_loss'))).toEqual(['0.000', '0.000', '0.000', '0.000']);
    expect(column(result('flex_consumption_per_es'), 'quantity_qualities')).toEqual(Array(4).fill("['calculated']"));
    expect(quantities(result('total_consumption'))).toEqual(['2.500', '2.500', '2.500', '2.500']);
  });

  test('without exchange has neither losses nor total consumption', async () => {
    const result = await settled(
      scenario({ periods: [period('M', flex)], points: [point('M', '2023-07-02T02:00:00Z', '1')] }),
    );
    expect(['grid_loss', 'positive_grid_loss', 'negative_grid_loss', 'total_consumption'].map(result)).toEqual(
      Array(4).fill([]),
    );
    expect(quantities(result('flex_consumption_per_es'))).toEqual(['1.000', '0.000', '0.000', '0.000']);
  });

  test('leaves out children, points of nobody, points within an hour, and other grid areas', async () => {
    const result = await settled(
      scenario({
        periods: [
          period('M', { resolution: 'PT1H' }),
          period('Child', { type: 'D09' }),
          period('Elsewhere', { gridArea: '999' }),
          period('Later', { fromMs: instantMs('2023-07-02 03:00:00') }),
        ],
        points: [
          point('M', '2023-07-02T02:00:00Z', '1'),
          ...['M', 'Child', 'Elsewhere', 'Later', 'Nobody'].map((id) => point(id, '2023-07-02T02:15:00Z', '100')),
        ],
      }),
    );
    expect(quantities(result('temporary_production'))).toEqual(['0.250', '0.250', '0.250', '0.250']);
  });

  test.each([
    ['2023-03-25 23:00:00', '2023-03-26 22:00:00', 92],
    ['2023-10-28 22:00:00', '2023-10-29 23:00:00', 100],
    ['2023-02-28 23:00:00', '2023-03-31 22:00:00', 2_972],
    ['2023-09-30 22:00:00', '2023-10-31 23:00:00', 2_980],
  ])('of the day or month from %s has all its quarters', async (from, to, quarters) => {
    const result = await settled(
      scenario({
        fromMs: instantMs(from),
        toMs: instantMs(to),
        quartersFromMs: 0,
        periods: [period('M', { resolution: 'PT1H' })],
        points: [point('M', '2023-03-26T01:00:00Z', '4'), point('M', '2023-10-29T01:00:00Z', '4')],
      }),
    );
    expect(result('production')).toHaveLength(quarters);
    expect(quantities(result('production')).filter((quantity) => quantity === '1.000')).toHaveLength(4);
  });
});
