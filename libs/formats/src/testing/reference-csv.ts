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

/** Cuts at each comma that has an even number of quotes before it, as far as fields begin with quotes at all. */
function fieldsOf(text: string): string[] {
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    const isQuoted = /^[ \t]*"/.test(rest);
    const match = (isQuoted ? /^[ \t]*"((?:[^"]|"")*)"(?!")[ \t]*/ : /^[^,"]*/).exec(rest);
    if (match === null) {
      throw new Bad('unclosed-quote');
    }
    fields.push((isQuoted ? match[1]!.replaceAll('""', '"') : match[0]).trim());
    rest = rest.slice(match[0].length);
    if (rest === '') {
      return fields;
    }
    if (!rest.startsWith(',')) {
      throw new Bad('stray-quote');
    }
    rest = rest.slice(1);
  }
}

function nameOf(what: string, text: string): string {
  if (text === '') {
    throw new Bad(`missing-${what}`);
  }
  const isComputed = (what === 'meter' && text.startsWith('group:')) || (what === 'channel' && text.includes('@'));
  if (isComputed || !isIdentifier(text)) {
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
  const match = /^[Tt ](\d\d:\d\d)(?:(:\d\d)([.,]\d{1,9})?)?( ?[Zz]| ?[+-]\d\d(?::?\d\d)?)?$/.exec(text);
  if (match === null) {
    throw new Bad('invalid-time');
  }
  const [minuteText = '', secondText = ':00', fraction = '', zone = ''] = match.slice(1);
  const isEndOfDay = `${minuteText}${secondText}`.startsWith('24:00:00') && Number(fraction.slice(1)) === 0;
  const time = isEndOfDay ? 86_400_000 : Date.parse(`1970-01-01T${minuteText}${secondText}Z`);
  const nanoseconds = Number(fraction.slice(1).padEnd(9, '0'));
  if (Number.isNaN(time) || (!isEndOfDay && minuteText.startsWith('24')) || nanoseconds % 1_000_000 !== 0) {
    throw new Bad('invalid-time');
  }
  return time + nanoseconds / 1_000_000 - zoneOf(zone.trim());
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
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  const [sign = '', whole = '', fraction = '', exponentText = '0'] = match?.slice(1) ?? [];
  if (match === null || text.length > 64 || whole + fraction === '') {
    throw new Bad('invalid-value');
  }
  // The value in billionths of billionths …, so that nothing of it is lost.
  const scale = 1_100;
  const scaled = BigInt(whole + fraction) * 10n ** BigInt(scale + Number(exponentText) - fraction.length);
  return decimalText(sign, scaled, scale);
}

function decimalText(sign: string, scaled: bigint, scale: number): string {
  const digits = scaled.toString().padStart(scale + 1, '0');
  const fraction = digits.slice(-scale).replace(/0+$/, '');
  const whole = digits.slice(0, -scale);
  if (fraction.length > 9) {
    throw new Bad('too-many-decimals');
  }
  if (BigInt(whole + fraction) > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new Bad('value-too-large');
  }
  const text = fraction === '' ? whole : `${whole}.${fraction}`;
  return sign === '-' && scaled !== 0n ? `-${text}` : text;
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
