/** A load profile: for each kind of day and month how much falls to each stretch of the day. */
export interface Profile {
  /** What falls to an interval of the day, from so many minutes after midnight. */
  weight(minuteOfDay: number, minutes: number): number;
}

export type KindOfDay = 'workday' | 'saturday' | 'sunday';

const months = ['jan', 'feb', 'mar|mär|mae', 'apr', 'may|mai', 'jun', 'jul', 'aug', 'sep', 'oct|okt', 'nov', 'dec|dez'];
const kinds: Readonly<Record<string, KindOfDay>> = {
  ...{ wt: 'workday', workday: 'workday', sa: 'saturday', saturday: 'saturday' },
  ...{ ft: 'sunday', so: 'sunday', sunday: 'sunday' },
};

/**
 * Reads the column of a table that holds for a month and a kind of day. Rows above the first number name the months (of
 * which three letters count, German or English) and the kinds of day (WT, SA and FT) of the columns; what none names
 * holds for all. The rows below divide the day into equal stretches; a first column beside others is their label.
 */
export function readProfile(table: string, month: number, kind: KindOfDay): Profile {
  const separator = /[;\t]/.test(table) ? /[;\t]/ : /,/;
  const rows = table
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(separator).map((cell) => cell.trim().toLowerCase()));
  const firstRow = rows.findIndex((cells) => isNumber(cells.at(-1) ?? ''));
  const heads = rows.slice(0, firstRow);
  const body = firstRow < 0 ? [] : rows.slice(firstRow);
  const labels = (body[0]?.length ?? 0) > 1 ? 1 : 0;
  const column = (body[0] ?? []).findIndex(
    (_, index) => index >= labels && heads.every((cells) => holds(cells[index] ?? '', month, kind)),
  );
  const weights = body.map((cells) => Number((cells[column] ?? '').replace(',', '.')));
  if (column < 0 || weights.some((weight) => !(weight >= 0))) {
    throw new Error(`the profile must have a column of numbers for month ${month} and a ${kind}`);
  }
  return { weight: (minuteOfDay, minutes) => overlap(weights, minuteOfDay, minutes) };
}

function isNumber(cell: string): boolean {
  return /^-?\d+(?:[.,]\d+)?$/.test(cell);
}

function holds(cell: string, month: number, kind: KindOfDay): boolean {
  const named = kinds[cell];
  if (named !== undefined) {
    return named === kind;
  }
  const known = months.findIndex((each) => each.split('|').some((start) => cell.startsWith(start)));
  return known < 0 || known === month - 1;
}

/** The weights that fall into an interval, those that it cuts in proportion. */
function overlap(weights: readonly number[], minuteOfDay: number, minutes: number): number {
  const rowMinutes = 1440 / weights.length;
  let sum = 0;
  for (let row = Math.floor(minuteOfDay / rowMinutes); row * rowMinutes < minuteOfDay + minutes; row++) {
    const from = Math.max(row * rowMinutes, minuteOfDay);
    const to = Math.min((row + 1) * rowMinutes, minuteOfDay + minutes);
    sum += ((weights[row % weights.length] ?? 0) * (to - from)) / rowMinutes;
  }
  return sum;
}
