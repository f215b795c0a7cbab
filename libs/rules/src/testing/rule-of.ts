import { flowOf, ruleContractOf, type Flow, type RuleVersion, type SeriesNeeds } from '../index.ts';

/** A rule of the given `onReading` body; the id need only differ. */
export function ruleOf(body: string, name = 'under-test'): RuleVersion {
  const source = `import { defineRule } from '@meterflow/rule-sdk';\nexport default defineRule({ name: '${name}', onReading(reading, context) { ${body} } });`;
  return { id: `${name}:${source.length}:${hashOf(source)}`, name, contract: ruleContractOf(undefined), source };
}

/** A rule of the given `onSeries` body. */
export function seriesRuleOf(body: string, needs: Partial<SeriesNeeds> = {}, name = 'under-test'): RuleVersion {
  const series = { reads: [], emits: [], lookBackDays: 0, lookAheadDays: 0, tags: [], ...needs };
  const source = `import { defineRule } from '@meterflow/rule-sdk';\nexport default defineRule({ name: '${name}', needs: ${JSON.stringify(series)}, onSeries(day, context) { ${body} } });`;
  return { id: `${name}:${source.length}:${hashOf(source)}`, name, contract: ruleContractOf(series), source, series };
}

export function flowOfBody(body: string): Flow {
  return flowOf('under-test', [{ rule: ruleOf(body), parameters: {} }]);
}

function hashOf(text: string): number {
  return Array.from(text).reduce((hash, letter) => (hash * 31 + (letter.codePointAt(0) ?? 0)) % 2 ** 32, 7);
}
