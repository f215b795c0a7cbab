import { lengthOfTime, timeOfDay } from './meter-columns.ts';
import { RefusedUploadError } from './refused-upload-error.ts';

const flag = /^(yes|no|true|false)$/i;
const anything = /^/;
/** Left empty, they are what the meter says. */
const orEmpty = (pattern: RegExp): RegExp => new RegExp(`${pattern.source}|^$`);

/** The fields of OED's upload form, and what each may say. */
const common = {
  meterIdentifier: anything,
  meterName: anything,
  username: anything,
  email: anything,
  password: anything,
  gzip: flag,
  headerRow: flag,
  update: flag,
} as const;
const ofReadings = {
  ...common,
  cumulative: flag,
  cumulativeReset: flag,
  cumulativeResetStart: orEmpty(timeOfDay),
  cumulativeResetEnd: orEmpty(timeOfDay),
  duplications: orEmpty(/^[1-9]\d?$/),
  endOnly: flag,
  honorDst: flag,
  lengthGap: orEmpty(lengthOfTime),
  lengthVariation: orEmpty(lengthOfTime),
  refreshReadings: flag,
  relaxedParsing: flag,
  timeSort: /^(in|de)creasing$/,
  useMeterZone: flag,
} as const;

export type UploadOptions = Readonly<Partial<Record<keyof typeof ofReadings, string>>>;

/** The options, as OED's form takes them. Throws {@link RefusedUploadError} for one that it does not know. */
export function uploadOptions(kind: 'meters' | 'readings', told: Readonly<Record<string, string>>): UploadOptions {
  const known: Readonly<Record<string, RegExp>> = kind === 'meters' ? common : ofReadings;
  for (const [name, text] of Object.entries(told)) {
    if (!Object.hasOwn(known, name) || known[name]?.test(text) !== true) {
      throw new RefusedUploadError(`the option ${name}=${text}`);
    }
  }
  if (kind === 'readings' && told['meterIdentifier'] === undefined && told['meterName'] === undefined) {
    throw new RefusedUploadError('no meter is named');
  }
  return told;
}

/** OED's own spellings, and those of the database below it. */
export function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(true|yes|t|y|on|1)$/i.test(text);
}
