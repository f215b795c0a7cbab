/** What OED keeps of a meter that tells how its uploads are to be read; undefined where it was never said. */
export interface OedMeter {
  /** Names it for ever, as its first identifier did. */
  readonly key: string;
  readonly name: string;
  readonly identifier: string;
  readonly zone: string | undefined;
  readonly cumulative: boolean | undefined;
  readonly cumulativeReset: boolean | undefined;
  readonly cumulativeResetStart: string | undefined;
  readonly cumulativeResetEnd: string | undefined;
  readonly lengthGap: string | undefined;
  readonly lengthVariation: string | undefined;
  readonly duplications: string | undefined;
  readonly timeSort: string | undefined;
  readonly endOnly: boolean | undefined;
}

/** Thrown where OED refuses a file of meters, or an upload for a meter that it does not know. */
export class RefusedUploadError extends Error {
  override readonly name = 'RefusedUploadError';
}

const columns = {
  name: 0,
  enabled: 2,
  displayable: 3,
  type: 4,
  zone: 5,
  gps: 6,
  identifier: 7,
  area: 9,
  cumulative: 10,
  cumulativeReset: 11,
  cumulativeResetStart: 12,
  cumulativeResetEnd: 13,
  lengthGap: 14,
  lengthVariation: 15,
  duplications: 16,
  timeSort: 17,
  endOnly: 18,
} as const;

/** The meters of one installation: made and changed by files, each row in turn, up to the first that is refused. */
export class OedMeters {
  #meters: OedMeter[] = [];

  /** One with all defaults. */
  create(name: string): void {
    this.#meters.push(meterOf([name], undefined));
  }

  byIdentifier(identifier: string): OedMeter {
    const meter = this.#meters.find((each) => each.identifier === identifier);
    if (meter === undefined) {
      throw new RefusedUploadError(`there is no meter ${identifier}`);
    }
    return meter;
  }

  byName(name: string): OedMeter {
    const meter = this.#meters.find((each) => each.name === name);
    if (meter === undefined) {
      throw new RefusedUploadError(`there is no meter of the name ${name}`);
    }
    return meter;
  }

  insert(rows: readonly (readonly string[])[]): void {
    for (const row of rows) {
      const meter = meterOf(row, undefined);
      check(row, meter);
      if (this.#meters.some(({ name, identifier }) => name === meter.name || identifier === meter.identifier)) {
        throw new RefusedUploadError(`there is a meter ${meter.name} already`);
      }
      this.#meters.push(meter);
    }
  }

  /** `identifier`: of the one meter that the file is about, which may give it another; else each row names its own. */
  update(rows: readonly (readonly string[])[], identifier: string | undefined): void {
    for (const row of rows) {
      if (identifier !== undefined && rows.length !== 1) {
        throw new RefusedUploadError('one identifier for several meters');
      }
      const before = this.byIdentifier(identifier ?? (field(row, 'identifier') || field(row, 'name')) ?? '');
      const after = meterOf(row, before);
      check(row, after);
      this.#meters = this.#meters.map((each) => (each === before ? after : each));
    }
  }
}

function field(row: readonly string[], column: keyof typeof columns): string | undefined {
  const text = row[columns[column]]?.trim();
  return text === '' ? undefined : text;
}

/** Empty fields leave what was there before. */
function meterOf(row: readonly string[], before: OedMeter | undefined): OedMeter {
  const name = field(row, 'name') ?? before?.name ?? '';
  const flag = (column: 'cumulative' | 'cumulativeReset' | 'endOnly'): boolean | undefined => {
    const text = field(row, column);
    return text === undefined ? before?.[column] : isTrue(text);
  };
  const identifier = field(row, 'identifier') ?? before?.identifier ?? name;
  return {
    key: before?.key ?? identifier,
    name,
    identifier,
    zone: field(row, 'zone') ?? before?.zone,
    cumulative: flag('cumulative'),
    cumulativeReset: flag('cumulativeReset'),
    cumulativeResetStart: field(row, 'cumulativeResetStart') ?? before?.cumulativeResetStart,
    cumulativeResetEnd: field(row, 'cumulativeResetEnd') ?? before?.cumulativeResetEnd,
    lengthGap: field(row, 'lengthGap') ?? before?.lengthGap,
    lengthVariation: field(row, 'lengthVariation') ?? before?.lengthVariation,
    duplications: field(row, 'duplications') ?? before?.duplications,
    timeSort: field(row, 'timeSort') ?? before?.timeSort,
    endOnly: flag('endOnly'),
  };
}

/** OED's own spellings, and those of the database below it. */
export function isTrue(text: string): boolean {
  return /^(true|yes|t|y|on|1)$/i.test(text.trim());
}

function check(row: readonly string[], { name, zone, duplications, timeSort }: OedMeter): void {
  const problems = [
    name === '' ? 'there is no name' : undefined,
    zone !== undefined && !isZone(zone) ? `${zone} is no time zone` : undefined,
    duplications !== undefined && !/^[1-9]$/.test(duplications) ? `${duplications} repeats` : undefined,
    timeSort !== undefined && !/^(in|de)creasing$/.test(timeSort) ? `${timeSort} is no order` : undefined,
    isPlace(field(row, 'gps')) ? undefined : 'that is no place on Earth',
  ];
  const problem = problems.find((each) => each !== undefined);
  if (problem !== undefined) {
    throw new RefusedUploadError(`meter ${name}: ${problem}`);
  }
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}

/** Latitude and longitude. */
function isPlace(text: string | undefined): boolean {
  if (text === undefined) {
    return true;
  }
  const parts = text.split(',').map(Number);
  return parts.length === 2 && Math.abs(parts[0] as number) <= 90 && Math.abs(parts[1] as number) <= 180;
}
