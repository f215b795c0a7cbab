import { ruleContractOf, type Flow, type ParameterValue, type RuleVersion } from './flow.ts';

// The stock rules have the shape of a customer's, and run in the same sandbox. The ids are the SHA-256 of the sources
// (a test computes them): whoever changes a source makes a new version.

/** Multiplies the value and names the unit: from kWh to Wh with { factor: 1000, unit: 'Wh' }. */
export const convertUnit: RuleVersion = {
  id: '95645ac6d96d2155be88b047f066f0fad034c4dfe194f5a06dd6481388e7de58',
  name: 'convert-unit',
  contract: ruleContractOf(undefined),
  source: `import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'convert-unit',
  parameters: {
    factor: { type: 'number', help: 'What the value is multiplied by.' },
    unit: { type: 'string', help: 'The unit of the product.' },
  },
  onReading(reading, context) {
    reading.value *= context.parameters.factor;
    reading.unit = context.parameters.unit;
  },
});
`,
};

/** Notes `below-minimum` or `above-maximum` beside a value outside [below, above]. The value stays as it is. */
export const flagRange: RuleVersion = {
  id: '7e52f3c38fb0c156257dcd77e7d6152d9c955fbcc79eb2336bb1b1d277773a81',
  name: 'flag-range',
  contract: ruleContractOf(undefined),
  source: `import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'flag-range',
  parameters: {
    below: { type: 'number', default: -Number.MAX_VALUE, help: 'The smallest value that is not flagged.' },
    above: { type: 'number', default: Number.MAX_VALUE, help: 'The largest value that is not flagged.' },
    quality: { type: 'string', default: '', help: 'The quality of a flagged value; empty: as it came.' },
  },
  onReading(reading, context) {
    const { below, above, quality } = context.parameters;
    const { value } = reading;
    if (value >= below && value <= above) {
      return;
    }
    reading.annotate(value < below ? 'below-minimum' : 'above-maximum');
    if (quality !== '') {
      reading.quality = quality;
    }
  },
});
`,
};

export const stockRules: readonly RuleVersion[] = [convertUnit, flagRange];

/** What a tenant without a flow of its own has: negative values are noted, nothing is changed. */
export const defaultFlow: Flow = flowOf('default', [{ rule: flagRange, parameters: { below: 0 } }]);

/** A flow over all channels; a reading that a rule fails on passes as it came, with the reason. */
export function flowOf(
  name: string,
  steps: readonly { readonly rule: RuleVersion; readonly parameters: Readonly<Record<string, ParameterValue>> }[],
): Flow {
  return { name, steps: steps.map((step) => ({ ...step, channels: '*' })), onFailure: 'skip' };
}
