import type { MappingInput } from '@meterflow/formats';
import { isTrue, type OedMeter } from './oed-meters.ts';

/** OED has one quantity a meter. */
export const channel = 'reading';

/**
 * A mapping that says what the options of an upload say, and the meter's own where the upload leaves them open. OED knows
 * columns by their place: the value, then the start, then the end.
 */
export function mappingOf(
  options: Readonly<Record<string, string>>,
  _meter: OedMeter,
  { name, meterKey }: { readonly name: string; readonly meterKey: string },
): MappingInput & { readonly name: string } {
  return {
    name,
    header: isTrue(options['headerRow'] ?? 'false'),
    meter: { constant: meterKey },
    channel: { constant: channel },
    value: { column: 1 },
    time: { column: 2 },
    interval: { end: { column: 3 } },
    unit: { constant: 'kWh' },
    onBadLine: 'reject-source',
  };
}
