/** In seconds: 120.1. */
export const lengthOfTime = /^(\d+\.?\d*|\.\d+)$/;
export const timeOfDay = /^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?(\.\d{1,9})?$/;

/** What the database below OED takes for a truth value. */
const isFlag = (text: string): boolean => /^(true|false|yes|no|t|f|y|n|on|off|1|0)$/i.test(text);
const isLength = (text: string): boolean => lengthOfTime.test(text);
const isTimeOfDay = (text: string): boolean => timeOfDay.test(text);
const isAnything = (): boolean => true;

/** The columns of OED's file of meters that tell how uploads are read, or that it checks: place, and what it takes. */
export const meterColumns = {
  name: { at: 0, takes: (text: string) => text.length <= 50 },
  enabled: { at: 2, takes: isFlag },
  displayable: { at: 3, takes: isFlag },
  zone: { at: 5, takes: isZone },
  place: { at: 6, takes: isPlace },
  identifier: { at: 7, takes: isAnything },
  area: { at: 9, takes: (text: string) => Number(text) >= 0 },
  cumulative: { at: 10, takes: isFlag },
  cumulativeReset: { at: 11, takes: isFlag },
  cumulativeResetStart: { at: 12, takes: isTimeOfDay },
  cumulativeResetEnd: { at: 13, takes: isTimeOfDay },
  lengthGap: { at: 14, takes: isLength },
  lengthVariation: { at: 15, takes: isLength },
  duplications: { at: 16, takes: (text: string) => /^[1-9]$/.test(text) },
  timeSort: { at: 17, takes: (text: string) => /^(in|de)creasing$/.test(text) },
  endOnly: { at: 18, takes: isFlag },
} as const;

export type MeterColumn = keyof typeof meterColumns;

/** A row's fields; what it leaves empty is as before. A meter without an identifier has its name for one. */
export function fieldsOf(
  row: readonly string[],
  before?: Readonly<Record<MeterColumn, string>>,
): Readonly<Record<MeterColumn, string>> {
  const told = Object.entries(meterColumns).map(([column, { at }]) => {
    const text = row[at]?.trim() ?? '';
    return [column, text === '' ? (before?.[column as MeterColumn] ?? '') : text];
  });
  const fields = Object.fromEntries(told) as Record<MeterColumn, string>;
  return { ...fields, identifier: fields.identifier === '' ? fields.name : fields.identifier };
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}

/** Latitude and longitude. */
function isPlace(text: string): boolean {
  const parts = text.split(',').map(Number);
  return parts.length === 2 && Math.abs(parts[0] as number) <= 90 && Math.abs(parts[1] as number) <= 180;
}
