import { InvalidReadingError } from './invalid-reading-error.ts';

/** One measured quantity of one meter. Together with its tenant it names a series. */
export interface SeriesName {
  readonly meter: string;
  readonly channel: string;
}

export const identifierCharsMax = 64;
/** Begins the meters that groups' aggregates are stored under: no source may bring readings of such a one. */
export const groupMeterPrefix = 'group:';
/** Stands in the channels that registers of calendars are stored under, `import@gas-day`: no source may bring such a one. */
export const registerChannelMark = '@';

const tenantPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
// Letters, numbers, punctuation and symbols, inner spaces: no control or format characters (a reversed name would lie).
const namePattern = /^[\p{L}\p{N}\p{P}\p{S}](?:[\p{L}\p{M}\p{N}\p{P}\p{S} ]*[\p{L}\p{M}\p{N}\p{P}\p{S}])?$/u;

/** Returns the tenant's name. Throws {@link InvalidReadingError} unless it is 1 to 63 of a-z, 0-9 and inner dashes (a DNS label). */
export function tenantName(text: string): string {
  if (!tenantPattern.test(text)) {
    throw new InvalidReadingError('invalid-tenant', `"${shown(text)}" is not a tenant: 1 to 63 of a-z, 0-9, inner -`);
  }
  return text;
}

/** True for 1 to 64 printable characters without white space at either end. */
export function isIdentifier(text: string): boolean {
  return text.length <= identifierCharsMax && namePattern.test(text);
}

/** Returns the meter's name. Throws {@link InvalidReadingError} when it is empty, too long or not printable. */
export function meterName(text: string): string {
  return identifier('meter', text);
}

/** Returns the channel's name. Throws {@link InvalidReadingError} when it is empty, too long or not printable. */
export function channelName(text: string): string {
  return identifier('channel', text);
}

function identifier(what: 'meter' | 'channel', text: string): string {
  if (!isIdentifier(text)) {
    throw new InvalidReadingError(
      `invalid-${what}`,
      `"${shown(text)}" is not a ${what}: 1 to ${identifierCharsMax} printable characters`,
    );
  }
  return text;
}

function shown(text: string): string {
  return text.slice(0, identifierCharsMax).replace(/[^ -~]/g, '?');
}
