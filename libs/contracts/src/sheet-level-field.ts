import type { SheetLevel } from '@meterflow/aggregates';
import type { MessageFields } from './message-fields.ts';

/** In the order of their numbers on the wire, which begin at 1. */
const levels: readonly SheetLevel[] = ['day', 'month'];

export function levelNumber(level: SheetLevel): number {
  return levels.indexOf(level) + 1;
}

export function readLevel(fields: MessageFields, number: number): SheetLevel {
  const level = levels[fields.unsigned(number) - 1];
  if (level === undefined) {
    throw fields.fail(number, 'message-value', `${fields.unsigned(number)} is not a level of sheets`);
  }
  return level;
}
