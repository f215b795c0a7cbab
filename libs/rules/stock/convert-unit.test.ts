import { testRule } from '@meterflow/rule-sdk';
import convertUnit from './convert-unit.ts';

export default testRule(convertUnit, {
  'a factor multiplies, and the unit is the product’s': {
    parameters: { factor: 1000, unit: 'Wh' },
    readings: [{ value: 1.25 }, { value: 0 }],
    expect: [
      { value: 1250, unit: 'Wh' },
      { value: 0, unit: 'Wh' },
    ],
  },
  'without a factor it is the one between the units': {
    parameters: { unit: 'kWh' },
    readings: [
      { value: 1250, unit: 'Wh' },
      { value: 2, unit: 'kWh' },
      { value: 0.003, unit: 'MWh' },
    ],
    expect: [
      { value: 1.25, unit: 'kWh' },
      { value: 2, unit: 'kWh' },
      { value: 3, unit: 'kWh' },
    ],
  },
  'a unit of something else is refused': {
    parameters: { unit: 'kWh' },
    readings: [{ value: 3, unit: 'm3' }],
    expect: [{ rejected: 'unit-differs' }],
  },
});
