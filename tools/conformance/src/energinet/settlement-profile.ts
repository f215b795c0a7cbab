import type { Decimal } from '@meterflow/readings';
import { minus, plus } from '@meterflow/aggregates';

/** What the values of a result are told apart by. */
export type Dimension = 'gridArea' | 'supplier' | 'balanceResponsible' | 'neighbor' | 'meteringPoint';

/** One result of a settlement: a family of groups, one for each grid area, supplier … that occurs. */
export type SettlementStep = MembersStep | TermsStep | GridLossStep;

interface StepBase {
  readonly name: string;
  /** Written as a result of this type; steps without are on the way to others. */
  readonly written?: { readonly type: string; readonly only?: 'balance' };
}

/** A group of series: the filter over their tags, and the tags that tell its groups apart. */
export interface MembersStep extends StepBase {
  readonly is: 'members';
  readonly filter: string;
  readonly by: Readonly<Partial<Record<Dimension, string>>>;
  /** Sums are brought to three decimals, here and nowhere later: see `roundedContribution`. */
  readonly rounded: boolean;
}

/** The sum of other results, each times its factor, over all that `by` does not name. */
export interface TermsStep extends StepBase {
  readonly is: 'terms';
  readonly terms: readonly { readonly of: string; readonly factor: Decimal }[];
  readonly by: readonly Dimension[];
  readonly rounded?: boolean;
  /** It is of quality calculated whatever it was worked out from. */
  readonly calculated?: boolean;
  /** There is a value only where every term has one, or where the first has; otherwise where any has. */
  readonly where?: 'all' | 'first';
}

/** The losses of one sign, as readings of the metering point that stands for them. */
export interface GridLossStep extends StepBase {
  readonly is: 'gridLoss';
  readonly of: string;
  readonly sign: Decimal;
  readonly filter: string;
  readonly by: Readonly<Partial<Record<Dimension, string>>>;
}

const perSupplier = {
  gridArea: 'grid_area',
  supplier: 'supplier',
  balanceResponsible: 'balance_responsible',
};
const supplierDimensions = ['gridArea', 'supplier', 'balanceResponsible'] as const;
const responsibleDimensions = ['gridArea', 'balanceResponsible'] as const;

function sumOf(...names: readonly string[]): TermsStep['terms'] {
  return names.map((of) => ({ of, factor: plus }));
}

/**
 * The Danish settlement of a period, in the order in which results are worked out. Each is a group of metering points or
 * the sum of results above it; nothing else is computed anywhere.
 */
export const settlementProfile: readonly SettlementStep[] = [
  // Exchange, seen from either side: what comes in from a neighbour less what goes out to it.
  {
    is: 'members',
    name: 'exchange_in',
    filter: 'type = exchange',
    by: { gridArea: 'to_area', neighbor: 'from_area' },
    rounded: false,
  },
  {
    is: 'members',
    name: 'exchange_out',
    filter: 'type = exchange',
    by: { gridArea: 'from_area', neighbor: 'to_area' },
    rounded: false,
  },
  {
    is: 'terms',
    name: 'exchange_per_neighbor',
    written: { type: 'net_exchange_per_neighboring_ga', only: 'balance' },
    terms: [
      { of: 'exchange_in', factor: plus },
      { of: 'exchange_out', factor: minus },
    ],
    by: ['gridArea', 'neighbor'],
    rounded: true,
  },
  {
    is: 'terms',
    name: 'exchange',
    written: { type: 'net_exchange_per_ga' },
    terms: sumOf('exchange_per_neighbor'),
    by: ['gridArea'],
  },

  // What was metered, before the losses have an owner.
  {
    is: 'members',
    name: 'temporary_production_per_es',
    filter: 'type = production and grid_loss = false',
    by: perSupplier,
    rounded: true,
  },
  {
    is: 'members',
    name: 'temporary_flex_consumption_per_es',
    filter: 'type = consumption and settlement_method = flex and grid_loss = false',
    by: perSupplier,
    rounded: true,
  },
  {
    is: 'members',
    name: 'non_profiled_consumption_per_es',
    written: { type: 'non_profiled_consumption' },
    filter: 'type = consumption and settlement_method = non_profiled and grid_loss = false',
    by: perSupplier,
    rounded: true,
  },
  {
    is: 'terms',
    name: 'non_profiled_consumption_per_brp',
    written: { type: 'non_profiled_consumption', only: 'balance' },
    terms: sumOf('non_profiled_consumption_per_es'),
    by: responsibleDimensions,
  },
  {
    is: 'terms',
    name: 'non_profiled_consumption',
    written: { type: 'non_profiled_consumption' },
    terms: sumOf('non_profiled_consumption_per_es'),
    by: ['gridArea'],
  },
  {
    is: 'terms',
    name: 'temporary_production',
    written: { type: 'temp_production' },
    terms: sumOf('temporary_production_per_es'),
    by: ['gridArea'],
  },
  {
    is: 'terms',
    name: 'temporary_flex_consumption',
    written: { type: 'temp_flex_consumption' },
    terms: sumOf('temporary_flex_consumption_per_es'),
    by: ['gridArea'],
  },

  // What went in and did not come out, and who it is billed to. Where nothing is exchanged there is no loss to tell.
  {
    is: 'terms',
    name: 'grid_loss',
    written: { type: 'grid_loss' },
    terms: [
      { of: 'exchange', factor: plus },
      { of: 'temporary_production', factor: plus },
      { of: 'temporary_flex_consumption', factor: minus },
      { of: 'non_profiled_consumption', factor: minus },
    ],
    by: ['gridArea'],
    calculated: true,
    where: 'first',
  },
  {
    is: 'gridLoss',
    name: 'positive_grid_loss',
    written: { type: 'positive_grid_loss' },
    of: 'grid_loss',
    sign: plus,
    filter: 'type = consumption and grid_loss = true',
    by: { ...perSupplier, meteringPoint: 'meter' },
  },
  {
    is: 'gridLoss',
    name: 'negative_grid_loss',
    written: { type: 'negative_grid_loss' },
    of: 'grid_loss',
    sign: minus,
    filter: 'type = production and grid_loss = true',
    by: { ...perSupplier, meteringPoint: 'meter' },
  },

  // The final results, losses included.
  {
    is: 'terms',
    name: 'production_per_es',
    written: { type: 'production' },
    terms: sumOf('temporary_production_per_es', 'negative_grid_loss'),
    by: supplierDimensions,
  },
  {
    is: 'terms',
    name: 'production_per_brp',
    written: { type: 'production', only: 'balance' },
    terms: sumOf('production_per_es'),
    by: responsibleDimensions,
  },
  {
    is: 'terms',
    name: 'production',
    written: { type: 'production' },
    terms: sumOf('production_per_es'),
    by: ['gridArea'],
  },
  {
    is: 'terms',
    name: 'flex_consumption_per_es',
    written: { type: 'flex_consumption' },
    terms: sumOf('temporary_flex_consumption_per_es', 'positive_grid_loss'),
    by: supplierDimensions,
  },
  {
    is: 'terms',
    name: 'flex_consumption_per_brp',
    written: { type: 'flex_consumption', only: 'balance' },
    terms: sumOf('flex_consumption_per_es'),
    by: responsibleDimensions,
  },
  {
    is: 'terms',
    name: 'flex_consumption',
    written: { type: 'flex_consumption' },
    terms: sumOf('flex_consumption_per_es'),
    by: ['gridArea'],
  },
  {
    is: 'terms',
    name: 'total_consumption',
    written: { type: 'total_consumption' },
    terms: sumOf('production', 'exchange'),
    by: ['gridArea'],
    where: 'all',
  },
];
