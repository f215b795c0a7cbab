// Flags or refuses a value below 0: a meter that counts one direction can't count backwards. Never on a net channel, where
// a value below 0 is more delivered than drawn.
// Source: negative consumption check of meter data management systems (Oracle MDM: Negative Consumption Check); ESPI
// FlowDirection 4 (net) is the direction that may be negative.
import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'negative-consumption',
  parameters: {
    netChannels: {
      type: 'string',
      default: 'net',
      help: 'A channel whose name has this in it is a net channel; more than one with commas.',
    },
    tolerance: {
      type: 'number',
      default: 0,
      min: 0,
      help: 'How far below 0 a value may be, in the unit of the reading.',
    },
    action: { type: 'string', default: 'flag', choices: ['flag', 'reject'], help: 'What becomes of the reading.' },
  },
  onReading(reading, { parameters: { netChannels, tolerance, action } }) {
    if (reading.value >= -tolerance) {
      return;
    }
    // Names are looked at for what is below 0 alone.
    const { channel } = reading;
    if (netChannels !== '' && netChannels.split(',').some((part) => channel.includes(part.trim()))) {
      return;
    }
    if (action === 'reject') {
      reading.reject('negative-consumption');
    } else {
      reading.annotate('negative-consumption');
    }
  },
});
