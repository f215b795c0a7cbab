import { isUnit, missingCode, qualities } from '@meterflow/readings';
import { change, emitsOf, type Flow } from '@meterflow/rules';
import { textCharsMax, textsMax } from './limits.ts';
import type { RawResult } from './reply.ts';

/** A result with its texts, and what it answers. */
export interface ClaimedResult {
  readonly raw: Omit<RawResult, 'newTexts' | 'failures' | 'dayFailures'>;
  /** The batch's own texts, then those that the rules brought in. */
  readonly texts: readonly string[];
  /** How many of them are the batch's own. */
  readonly ownTexts: number;
}

const { value, quality, unit, method, reason, rejected, failed } = change;
const known = value | quality | unit | method | reason | rejected | failed;

/**
 * Holds a result to what an honest child can send, so that whoever broke out of an isolate can do no more than a rule may.
 * Throws RangeError for anything else: the child is not what it should be. Looks at every reading, in loops without calls.
 */
export function checkResult({ raw, texts, ownTexts }: ClaimedResult): void {
  const { any, changes } = raw;
  let seen = 0;
  for (const bits of changes) {
    seen |= bits;
  }
  if (seen !== any || (any & ~known) !== 0) {
    throw new RangeError('a result says other changes than it holds');
  }
  if (any & value) {
    checkValues(raw);
  }
  if (any & quality) {
    checkQualities(raw);
  }
  checkTexts(texts, ownTexts);
  if (any & unit) {
    const units = texts.map(isUnit);
    checkIndexes(changes, unit, { column: raw.unit, allowed: (index) => units[index] === true });
  }
  const inTexts = (index: number): boolean => index < texts.length;
  if (any & method) {
    checkIndexes(changes, method, { column: raw.method, allowed: inTexts });
  }
  if (any & (reason | rejected | failed)) {
    checkIndexes(changes, reason | rejected | failed, { column: raw.reason, allowed: inTexts });
  }
}

/** What a day emitted: only days emit, on channels that the flow names, readings of a length and a quality. */
export function checkEmitted(
  { emitted, quality: column, changes }: Pick<RawResult, 'emitted' | 'quality' | 'changes'>,
  { flow, isDay, count }: { readonly flow: Flow; readonly isDay: boolean; readonly count: number },
): void {
  const channels = emitsOf(flow).length;
  const { startMs, lengthMs, channel } = emitted;
  if (startMs.length > 0 && !isDay) {
    throw new RangeError('a batch that is no day emits readings');
  }
  for (let index = 0; index < startMs.length; index++) {
    const bits = changes[count + index] as number;
    const isWhole = Number.isSafeInteger(startMs[index]) && (lengthMs[index] as number) >= 0;
    const isMade = (bits & value) !== 0 && (bits & quality) !== 0 && (column[count + index] as number) < missingCode;
    if (!isWhole || !isMade || (channel[index] as number) >= channels) {
      throw new RangeError('a day emits what no rule can emit');
    }
  }
}

function checkValues({ changes, values }: ClaimedResult['raw']): void {
  for (let index = 0; index < changes.length; index++) {
    if (((changes[index] as number) & value) !== 0) {
      const set = values[index] as number;
      if (!(set < 2 ** 53 && set > -(2 ** 53))) {
        throw new RangeError(`a result holds the value ${set}`);
      }
    }
  }
}

function checkQualities({ changes, quality: column }: ClaimedResult['raw']): void {
  for (let index = 0; index < changes.length; index++) {
    if (((changes[index] as number) & quality) !== 0) {
      const set = column[index] as number;
      if (set >= qualities.length || set === missingCode) {
        throw new RangeError(`a result holds the quality ${set}`);
      }
    }
  }
}

/** Rules mostly set the same text again and again: each index is asked about when it differs from the one before. */
function checkIndexes(
  changes: Uint8Array,
  bits: number,
  { column, allowed }: { readonly column: Uint16Array; readonly allowed: (index: number) => boolean },
): void {
  let last = -1;
  for (let index = 0; index < changes.length; index++) {
    if (((changes[index] as number) & bits) !== 0 && column[index] !== last) {
      last = column[index] as number;
      if (!allowed(last)) {
        throw new RangeError(`a result names the text ${last}`);
      }
    }
  }
}

function checkTexts(texts: readonly string[], ownTexts: number): void {
  if (texts.length > textsMax) {
    throw new RangeError(`a result brings ${texts.length - ownTexts} texts`);
  }
  for (let index = ownTexts; index < texts.length; index++) {
    const text = texts[index] as string;
    if (text.length > textCharsMax || /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) {
      throw new RangeError('a result brings a text that no rule can set');
    }
  }
}

/** A step that a child named. Throws RangeError where the flow has no such step. */
export function checkedStep(step: unknown, flow: Flow): number {
  if (!Number.isInteger(step) || (step as number) < 0 || (step as number) >= flow.steps.length) {
    throw new RangeError('a child names a step that there is not');
  }
  return step as number;
}
