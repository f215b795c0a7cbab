import type { Flow, FlowStep, RuleVersion } from './flow.ts';
import { compiledStockRules } from './gen/stock-rules.ts';
import type { StockRule } from './stock-rule.ts';

/** All of them, by name. */
export const stockRules: ReadonlyMap<string, StockRule> = new Map(
  compiledStockRules.map((rule) => [rule.version.name, rule]),
);

/** Multiplies the value and names the unit: from kWh to Wh with { factor: 1000, unit: 'Wh' }. */
export const convertUnit = versionOf('convert-unit');

/** Notes `below-minimum` or `above-maximum` beside a value outside [below, above]. The value stays as it is. */
export const flagRange = versionOf('flag-range');

/** What a tenant without a flow of its own has: negative values are noted, nothing is changed. */
export const defaultFlow: Flow = flowOf('default', [{ rule: flagRange, parameters: { below: 0 } }]);

/** A flow over all channels; a reading that a rule fails on passes as it came, with the reason. */
export function flowOf(name: string, steps: readonly Pick<FlowStep, 'rule' | 'parameters'>[]): Flow {
  return { name, steps: steps.map((step) => ({ ...step, channels: '*' })), onFailure: 'skip' };
}

function versionOf(name: string): RuleVersion {
  const rule = stockRules.get(name);
  if (rule === undefined) {
    throw new Error(`there is no stock rule ${name}`);
  }
  return rule.version;
}
