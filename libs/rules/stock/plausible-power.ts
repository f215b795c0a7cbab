// Flags or refuses a reading whose mean power over its interval is more than the connection can carry. Of energy (Wh, kWh,
// MWh, GWh) it is the energy over the interval's length; power (W, kW, MW) is taken as it is; other units are left alone.
// Source: validation by maximum values, in AEMO Metrology Procedure Part B; connection size (main fuse) as in VDE-AR-N 4100 and in
// distributors' tariffs: a house with 3 × 63 A at 400 V can draw 43.6 kW.
import { defineRule } from '@meterflow/rule-sdk';

/** How many of a unit of energy are a kilowatt-hour; 0: none is. */
function perKilowattHour(unit: string): number {
  switch (unit) {
    case 'kWh':
      return 1;
    case 'Wh':
      return 1000;
    case 'MWh':
      return 0.001;
    case 'GWh':
      return 0.000001;
    default:
      return 0;
  }
}

/** The same of power and a kilowatt. */
function perKilowatt(unit: string): number {
  switch (unit) {
    case 'kW':
      return 1;
    case 'W':
      return 1000;
    case 'MW':
      return 0.001;
    default:
      return 0;
  }
}

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
    const perKwh = perKilowattHour(unit);
    const perKw = perKwh === 0 ? perKilowatt(unit) : (perKwh * (endMs - startMs)) / 3_600_000;
    // Neither another quantity nor a register reading.
    if (perKw === 0 || Math.abs(reading.value) <= kwMax * perKw) {
      return;
    }
    if (action === 'reject') {
      reading.reject('implausible-power');
    } else {
      reading.annotate('implausible-power');
    }
  },
});
