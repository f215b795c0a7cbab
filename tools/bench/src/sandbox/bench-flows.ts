import { flagRange, flowOf, ruleContract, type Flow, type RuleVersion } from '@meterflow/rules';

/** What the simple rule is made of; the very text runs in the sandbox and as plain host code. */
export const simpleBody = 'if (reading.value > 2) { reading.value = reading.value * 0.5; }';

/** A rule that halves what is above 2. `version` makes it another version of itself. */
export function simpleRule(version = 0): RuleVersion {
  const source = `import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'simple',
  onReading(reading) {
    ${simpleBody}
  },
});
// version ${version}
`;
  return { id: `simple-${version}`, name: 'simple', contract: ruleContract, source };
}

export const simpleFlow: Flow = flowOf('simple', [{ rule: simpleRule(), parameters: {} }]);

/** One stock check ten times, each with bounds of its own, of which one flags now and then. */
export const tenRanges: Flow = flowOf(
  'ten ranges',
  Array.from({ length: 10 }, (_, index) => ({
    rule: flagRange,
    parameters: { below: -index, above: index === 9 ? 2.9 : 10 + index },
  })),
);
