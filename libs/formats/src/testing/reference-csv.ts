import { isIdentifier } from '@meterflow/readings';

/*
 * The default format read in the plainest way there is, written apart from the product's code: text by text, character
 * by character, numbers in BigInt. What the scanner gives is held against it.
 */

export interface ReferenceRow {
  readonly line: number;
  readonly meter: string;
  readonly channel: string;
  readonly startMs: number;
  readonly value: string;
  readonly unit: string;
}

export interface ReferenceResult {
  readonly rows: readonly ReferenceRow[];
  /** Line numbers with codes. */
  readonly rejects: readonly (readonly [number, string])[];
}

const units = 'Wh,kWh,MWh,GWh,varh,kvarh,Mvarh,VAh,kVAh,W,kW,MW,var,kvar,V,A,m3,l,J,MJ,GJ,1'.split(',');

class Bad extends Error {}

/** Reads lines of meter, channel, start, value, unit that follow a header in line 1. */
export function referenceRead(source: Uint8Array, latestMs: number): ReferenceResult {
  const rows: ReferenceRow[] = [];
  const rejects: [number, string][] = [];
  linesOf(source)
    .slice(1)
    .forEach((bytes, index) => {
      const line = index + 2;
      try {
        const row = rowOf(bytes, latestMs);
        if (row !== undefined) {
          rows.push({ line, ...row });
        }
      } catch (error) {
        if (!(error instanceof Bad)) {
          throw error;
        }
        rejects.push([line, error.message]);
      }
    });
  return { rows, rejects };
}

function linesOf(source: Uint8Array): number[][] {
  const lines: number[][] = [[]];
  for (const byte of source) {
    if (byte === 10) {
      lines.push([]);
    } else {
      lines.at(-1)!.push(byte);
    }
  }
  return lines.map((line) => (line.at(-1) === 13 ? line.slice(0, -1) : line));
}

function rowOf(bytes: readonly number[], latestMs: number): Omit<ReferenceRow, 'line'> | undefined {
  const text = textOf(bytes);
  if (text.trim() === '') {
    return undefined;
  }
  const fields = fieldsOf(text);
  if (fields.length !== 5) {
    throw new Bad('wrong-field-count');
  }
  const [meter, channel, start, value, unit] = fields as [string, string, string, string, string];
  const row = {
    meter: nameOf('meter', meter),
    channel: nameOf('channel', channel),
    startMs: startOf(start),
    value: valueOf(value),
    unit: unitOf(unit),
  };
  if (row.startMs < 0) {
    throw new Bad('too-old');
  }
  if (row.startMs > latestMs) {
    throw new Bad('in-the-future');
  }
  return row;
}

function textOf(bytes: readonly number[]): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    throw new Bad('invalid-utf8');
  }
  for (const char of text) {
    if (char !== '\t' && (char < ' ' || char === '\u007f')) {
      throw new Bad('control-character');
    }
  }
  return text;
}

/** A machine of four states over the characters. */
function fieldsOf(text: string): string[] {
  const fields: string[] = [];
  let field = '';
  let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (state === 'quoted') {
      if (char === '"' && text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else if (char === '"') {
        state = 'closed';
      } else {
        field += char;
      }
    } else if (char === ',') {
      fields.push(field.trim());
      field = '';
      state = 'start';
    } else if (state === 'closed') {
      if (char !== ' ' && char !== '\t') {
        throw new Bad('stray-quote');
      }
    } else if (state === 'start' && char === '"') {
      field = '';
      state = 'quoted';
    } else {
      field += char;
      state = state === 'start' && (char === ' ' || char === '\t') ? 'start' : 'plain';
    }
  }
  if (state === 'quoted') {
    throw new Bad('unclosed-quote');
  }
  return [...fields, field.trim()];
}

function nameOf(what: string, text: string): string {
  if (text === '') {
    throw new Bad(`missing-${what}`);
  }
  if (!isIdentifier(text)) {
    throw new Bad(`invalid-${what}`);
  }
  return text;
}

function startOf(text: string): number {
  if (text === '') {
    throw new Bad('missing-time');
  }
  const parts = /^(\d+)-(\d+)-(\d+)(.*)$/.exec(text);
  const [year, month, day] = (parts?.slice(1, 4) ?? []) as [string, string, string];
  if (parts === null || year.length !== 4 || month.length !== 2 || day.length !== 2) {
    throw new Bad('invalid-time');
  }
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (Number(year) === 0 || date.getUTCMonth() + 1 !== Number(month) || date.getUTCDate() !== Number(day)) {
    throw new Bad('invalid-time');
  }
  return date.getTime() + (parts[4] === '' ? 0 : timeOf(parts[4]!));
}

function timeOf(text: string): number {
  const match = /^[Tt ](\d\d):(\d\d)(:\d\d)?([.,]\d+)?( ?[Zz]| ?[+-]\d\d(:?\d\d)?)?$/.exec(text);
  const fraction = (match?.[4] ?? '').slice(1);
  if (match === null || (fraction !== '' && match[3] === undefined) || fraction.length > 9) {
    throw new Bad('invalid-time');
  }
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number((match[3] ?? ':0').slice(1))];
  const ms = Number(`0.${fraction || '0'}`) * 1_000;
  const time = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + ms;
  if (minutes > 59 || seconds > 59 || time > 86_400_000 || BigInt(fraction.padEnd(9, '0')) % 1_000_000n !== 0n) {
    throw new Bad('invalid-time');
  }
  return Math.round(time) - zoneOf((match[5] ?? '').trim());
}

function zoneOf(text: string): number {
  const digits = text.slice(1).replace(':', '');
  if (digits === '') {
    return 0;
  }
  const [hours, minutes] = [Number(digits.slice(0, 2)), Number(digits.slice(2) || '0')];
  if (hours > 18 || minutes > 59) {
    throw new Bad('invalid-time');
  }
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function valueOf(text: string): string {
  if (['', 'null', 'nan'].includes(text.toLowerCase())) {
    throw new Bad('no-value');
  }
  const match = /^([+-]?)(\d*)(?:(\.)(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[4] ?? '';
  if (match === null || text.length > 64 || whole + fraction === '') {
    throw new Bad('invalid-value');
  }
  let integer = BigInt(whole + fraction);
  let exponent = Number(match[5] ?? '0') - fraction.length;
  while (integer !== 0n && integer % 10n === 0n) {
    integer /= 10n;
    exponent += 1;
  }
  if (integer === 0n) {
    return '0';
  }
  if (exponent < -9) {
    throw new Bad('too-many-decimals');
  }
  integer *= exponent > 0 ? 10n ** BigInt(exponent) : 1n;
  if (integer > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new Bad('value-too-large');
  }
  const digits = integer.toString().padStart(Math.max(0, -exponent) + 1, '0');
  const point = digits.length - Math.max(0, -exponent);
  return (match[1] === '-' ? '-' : '') + digits.slice(0, point) + (exponent < 0 ? `.${digits.slice(point)}` : '');
}

function unitOf(text: string): string {
  if (text === '') {
    throw new Bad('missing-unit');
  }
  if (!units.includes(text)) {
    throw new Bad('unknown-unit');
  }
  return text;
}
