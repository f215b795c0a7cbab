// Flags or refuses a reading whose mean power over its interval is more than the connection can carry. Of energy (Wh, kWh,
// MWh, GWh) it is the energy over the interval's length; power (W, kW, MW) is taken as it is; other units are left alone.
// Source: validation by maximum values, in AEMO Metrology Procedure Part B; connection size (main fuse) as in VDE-AR-N 4100 and in
// distributors' tariffs: a house with 3 × 63 A at 400 V can draw 43.6 kW.
import { defineRule } from '@meterflow/rule-sdk';

/** How many of a unit of energy are a kilowatt-hour, and of power a kilowatt. */
const energies = new Map([
  ['kWh', 1],
  ['Wh', 1000],
  ['MWh', 0.001],
  ['GWh', 0.000001],
]);
const powers = new Map([
  ['kW', 1],
  ['W', 1000],
  ['MW', 0.001],
]);

export default defineRule({
  name: 'plausible-power',
  parameters: {
    kwMax: {
      type: 'number',
      default: 43.6,
      min: 0,
      unit: 'kW',
      help: 'The largest mean power that is plausible, in either direction.',
    },
    action: { type: 'string', default: 'flag', choices: ['flag', 'reject'], help: 'What becomes of the reading.' },
  },
  onReading(reading, { parameters: { kwMax, action } }) {
    const { startMs, endMs, unit } = reading;
    const perKwh = energies.get(unit);
    const perKw = perKwh === undefined ? powers.get(unit) : (perKwh * (endMs - startMs)) / 3_600_000;
    // Neither another quantity nor a register reading.
    if (perKw === undefined || perKw === 0 || Math.abs(reading.value) <= kwMax * perKw) {
      return;
    }
    if (action === 'reject') {
      reading.reject('implausible-power');
    } else {
      reading.annotate('implausible-power');
    }
  },
});
