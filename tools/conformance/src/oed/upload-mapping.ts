import type { MappingInput } from '@meterflow/formats';
import type { OedMeter } from './oed-meters.ts';
import { RefusedUploadError } from './refused-upload-error.ts';
import { isTrue, type UploadOptions } from './upload-options.ts';

/** OED has one quantity a meter. */
export const channel = 'reading';

/** Where a meter tells no zone, OED's tests run on its server's. */
const serverZone = 'UTC';
const wholeDay = { from: '00:00:00', to: '23:59:59.999999' } as const;

/** What the form lets a meter say once for all of its uploads. */
type StoredOption =
  | 'cumulative'
  | 'cumulativeReset'
  | 'cumulativeResetStart'
  | 'cumulativeResetEnd'
  | 'duplications'
  | 'endOnly'
  | 'lengthGap'
  | 'lengthVariation'
  | 'timeSort';

type Said = (option: StoredOption) => string | undefined;

/**
 * A mapping that says what the options of an upload say, and the meter's own where the upload leaves them open. OED knows
 * columns by their place: the value, then the start, then the end; of the latter two the end alone where there is no start.
 */
export function mappingOf(options: UploadOptions, meter: OedMeter, name: string): MappingInput {
  const said: Said = (option) => told(options[option]) ?? told(meter.fields[option]);
  const isEndOnly = isTrue(said('endOnly'));
  const zone = told(meter.fields.zone) ?? serverZone;
  return {
    name,
    header: isTrue(options.headerRow),
    meter: { constant: meter.key },
    channel: { constant: channel },
    value: { column: 1 },
    time: {
      column: 2,
      format: isTrue(options.relaxedParsing) ? 'lenient' : 'iso',
      zone: isTrue(options.useMeterZone) ? zone : 'UTC',
      ...(isEndOnly ? { label: 'end' } : {}),
    },
    interval: isEndOnly ? {} : { end: { column: 3 } },
    unit: { constant: 'kWh' },
    sequence: {
      order: said('timeSort') === 'decreasing' ? 'descending' : 'ascending',
      repeats: Number(said('duplications') ?? 1),
      stamps: isEndOnly ? 'end-only' : 'start-and-end',
      ...cumulativeOf(said),
      gapMsMax: millisecondsOf(said('lengthGap')),
      lengthVariationMsMax: millisecondsOf(said('lengthVariation')),
      wallClock: isTrue(options.honorDst) ? { zone, changes: 'evened' } : { changes: 'as-shown' },
    },
    onBadLine: 'reject-source',
  };
}

function told(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function cumulativeOf(said: Said): Pick<NonNullable<MappingInput['sequence']>, 'cumulative'> {
  const resets = isTrue(said('cumulativeReset'));
  if (!isTrue(said('cumulative'))) {
    if (resets) {
      throw new RefusedUploadError('a reset of values that are not cumulative');
    }
    return {};
  }
  const window = {
    from: said('cumulativeResetStart') ?? wholeDay.from,
    to: said('cumulativeResetEnd') ?? wholeDay.to,
  };
  return { cumulative: { reset: resets ? window : 'never' } };
}

function millisecondsOf(seconds: string | undefined): number {
  return seconds === undefined ? 0 : Number.parseFloat(seconds) * 1_000;
}
