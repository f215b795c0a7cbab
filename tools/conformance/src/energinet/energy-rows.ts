import { createHash } from 'node:crypto';
import {
  expectedCount,
  hourMs,
  qualityBits,
  qualitySet,
  slotCount,
  sumInteger,
  type Contribution,
} from '@meterflow/aggregates';
import type { CsvRow } from './csv-table.ts';
import type { Scenario } from './scenario.ts';
import { slotMsOf, type SettledGroup, type Settlement } from './settle.ts';
import { settlementProfile } from './settlement-profile.ts';

/** Where nothing is settled between balance responsibles and neighbours. */
const balanceTypes = ['aggregation', 'balance_fixing'];
const decimals = 3;

/**
 * The rows of a result as their authors write them; undefined: this kind of calculation has no such result. Every column
 * is there, qualities in the order of our codes. Throws Error where there is no result of the name at all.
 */
export function energyRows(name: string, settlement: Settlement, scenario: Scenario): readonly CsvRow[] | undefined {
  const written = settlementProfile.find((step) => step.name === name)?.written;
  if (written === undefined) {
    throw new Error(`${name}: no result of a settlement is called so`);
  }
  if (written.only === 'balance' && !balanceTypes.includes(scenario.calculationType)) {
    return undefined;
  }
  const shared = {
    time_series_type: written.type,
    calculation_id: scenario.calculationId,
    calculation_type: scenario.calculationType,
    calculation_execution_time_start: instantText(scenario.startedAtMs),
    resolution: slotMsOf(scenario) === hourMs ? 'PT1H' : 'PT15M',
  };
  return (settlement.get(name) ?? []).flatMap((group) => {
    const own = { ...shared, ...keyColumns(group) };
    const identified = { ...own, result_id: resultId(own) };
    return group.days.flatMap((day) => slotRows(day).map((slot) => ({ ...identified, ...slot })));
  });
}

function keyColumns({ key }: SettledGroup) {
  return {
    grid_area_code: key.gridArea ?? '',
    energy_supplier_id: key.supplier ?? '',
    balance_responsible_party_id: key.balanceResponsible ?? '',
    neighbor_grid_area_code: key.neighbor ?? '',
    metering_point_id: key.meteringPoint ?? '',
  };
}

function slotRows(day: Contribution): CsvRow[] {
  const rows: CsvRow[] = [];
  for (let slot = 0; slot < slotCount(day); slot++) {
    if (expectedCount(day, slot) > 0) {
      rows.push({
        quantity: quantityText(day, slot),
        quantity_qualities: qualitiesText(qualitySet(qualityBits(day, slot))),
        time: instantText(day.startMs + slot * day.slotMs),
      });
    }
  }
  return rows;
}

/** Three decimals, always: -0.279. */
function quantityText(day: Contribution, slot: number): string {
  const integer = sumInteger(day.sumHigh[slot] as number, day.sumLow[slot] as number);
  const thousandths = integer * 10n ** BigInt(decimals - day.decimals);
  const digits = (thousandths < 0n ? -thousandths : thousandths).toString().padStart(decimals + 1, '0');
  return `${thousandths < 0n ? '-' : ''}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

function qualitiesText(names: readonly string[]): string {
  return `[${names.map((name) => `'${name}'`).join(', ')}]`;
}

/** The same set, in one order, however it is written: ['measured', 'missing'], ["missing","measured"]. */
export function sortedQualities(text: string): string {
  return qualitiesText([...text.matchAll(/\w+/g)].map(([name]) => name).sort());
}

export function instantText(instantMs: number): string {
  return new Date(instantMs).toISOString().replace('.000Z', 'Z');
}

/** Their names of results are UUIDs of version 5 in a namespace of their own. */
const namespace = Buffer.from('681fd8840a2e4dc296eac61c3683449c', 'hex');

function resultId(row: ReturnType<typeof keyColumns> & { calculation_id: string; time_series_type: string }): string {
  const named = [
    row.calculation_id,
    row.grid_area_code,
    row.neighbor_grid_area_code,
    row.balance_responsible_party_id,
    row.energy_supplier_id,
    row.time_series_type,
    'energy',
  ].join('');
  const hash = createHash('sha1').update(namespace).update(named).digest().subarray(0, 16);
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
