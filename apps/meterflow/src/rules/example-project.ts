import { sdkSource } from '@meterflow/rule-compiler';

const rule = `import { defineRule } from '@meterflow/rule-sdk';

// Notes values that are higher than a household can use, and marks them as substituted by the limit where asked to.
export default defineRule({
  name: 'high-use',
  parameters: {
    limitKwh: { type: 'number', default: 5, min: 0, unit: 'kWh', help: 'The highest value that is believed.' },
    cut: { type: 'boolean', default: false, help: 'Put the limit in the place of a higher value.' },
  },
  needs: { channels: ['import*'] },
  onReading(reading, { parameters }) {
    if (reading.value <= parameters.limitKwh) {
      return;
    }
    reading.annotate('high-use');
    if (parameters.cut) {
      reading.value = parameters.limitKwh;
      reading.quality = 'substituted';
      reading.method = 'high-use: limit';
    }
  },
});
`;

const test = `import { sampleReadings, testRule } from '@meterflow/rule-sdk';
import highUse from './high-use.ts';

export default testRule(highUse, {
  'a high value is noted and stays': {
    readings: sampleReadings([0.2, 7.5]),
    expect: [{ value: 0.2, reason: '' }, { value: 7.5, quality: 'measured', reason: 'high-use' }],
  },
  'a high value is cut when asked to': {
    parameters: { limitKwh: 2, cut: true },
    readings: sampleReadings([2, 2.1]),
    expect: [{ value: 2, quality: 'measured' }, { value: 2, quality: 'substituted' }],
  },
});
`;

const compilerOptions = {
  ...{ strict: true, noEmit: true, target: 'ES2024', lib: ['ES2024'], types: [], module: 'ESNext' },
  ...{ moduleResolution: 'Bundler', allowImportingTsExtensions: true },
  paths: { '@meterflow/rule-sdk': ['./sdk/rule-sdk.ts'] },
};

/** What \`rules init\` lays into a folder: a rule, its test, and what an editor needs to know of the SDK, nothing to install. */
export function exampleProject(): ReadonlyMap<string, string> {
  return new Map([
    ['high-use.ts', rule],
    ['high-use.test.ts', test],
    ['sdk/rule-sdk.ts', sdkSource()],
    ['tsconfig.json', `${JSON.stringify({ compilerOptions, include: ['.'] }, undefined, 2)}\n`],
  ]);
}
