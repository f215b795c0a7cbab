// Multiplies the value and names the unit: from kWh to Wh with factor 1000 and unit Wh. With factor 0 the factor is that
// between the two units; a reading whose unit measures something else is refused.
// Source: units of ESPI (NAESB REQ.21, UomType with its power of ten) and of NEM12 (UOM of the 200 row).
import { defineRule } from '@meterflow/rule-sdk';

/** What a unit measures, and the power of ten that leads to it. */
const units: Readonly<Record<string, readonly [measures: string, exponent: number]>> = {
  Wh: ['energy', 0],
  kWh: ['energy', 3],
  MWh: ['energy', 6],
  GWh: ['energy', 9],
  varh: ['reactive energy', 0],
  kvarh: ['reactive energy', 3],
  Mvarh: ['reactive energy', 6],
  VAh: ['apparent energy', 0],
  kVAh: ['apparent energy', 3],
  W: ['power', 0],
  kW: ['power', 3],
  MW: ['power', 6],
  var: ['reactive power', 0],
  kvar: ['reactive power', 3],
  m3: ['volume', 0],
  l: ['volume', -3],
  J: ['heat', 0],
  MJ: ['heat', 6],
  GJ: ['heat', 9],
};

export default defineRule({
  name: 'convert-unit',
  parameters: {
    factor: { type: 'number', default: 0, help: 'What the value is multiplied by; 0: what lies between the units.' },
    unit: { type: 'string', help: 'The unit of the product.' },
  },
  onReading(reading, { parameters: { factor, unit } }) {
    if (factor !== 0) {
      reading.value *= factor;
      reading.unit = unit;
      return;
    }
    if (reading.unit === unit) {
      return;
    }
    const from = units[reading.unit];
    const to = units[unit];
    if (from === undefined || from[0] !== to?.[0]) {
      reading.reject('unit-differs');
      return;
    }
    const exponent = from[1] - to[1];
    reading.value = exponent < 0 ? reading.value / 10 ** -exponent : reading.value * 10 ** exponent;
    reading.unit = unit;
  },
});
