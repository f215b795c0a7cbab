import type { Versions } from '@meterflow/readings';
import { checkCount } from './check-count.ts';
import { checkIntegers } from './check-integers.ts';
import { checkSameLength } from './check-spans.ts';
import { MalformedMessageError } from './malformed-message-error.ts';
import { block, type MessageFields, type MessageShape } from './message-fields.ts';
import { instantMsMax, messageLimits } from './message-limits.ts';
import type { WireWriter } from './wire-writer.ts';

const shape: MessageShape = [
  undefined,
  block('declared'),
  block('accepted_at_ms'),
  block('activation'),
  block('ticket'),
  block('computed'),
];

export function writeVersions(writer: WireWriter, field: number, versions: Versions): void {
  const { mark } = writer;
  writer.column(5, versions.computed);
  writer.column(4, versions.ticket);
  writer.column(3, versions.activation);
  writer.column(2, versions.acceptedAtMs);
  writer.column(1, versions.declared);
  writer.message(field, mark);
}

export function readVersions(fields: MessageFields, number: number): Versions {
  const versions = fields.message(number, shape);
  const { versionsMax } = messageLimits;
  return {
    declared: versions.float64s(1, versionsMax),
    acceptedAtMs: versions.float64s(2, versionsMax),
    activation: versions.float64s(3, versionsMax),
    ticket: versions.float64s(4, versionsMax),
    computed: versions.bytesColumn(5, versionsMax),
  };
}

export function checkVersions(versions: Versions, path: string): void {
  const { declared, acceptedAtMs, activation, ticket, computed } = versions;
  checkCount(path, declared.length, messageLimits.versionsMax);
  checkSameLength({ declared, accepted_at_ms: acceptedAtMs, activation, ticket, computed }, path);
  checkIntegers(declared, `${path}.declared`, { min: 0 });
  checkIntegers(acceptedAtMs, `${path}.accepted_at_ms`, { min: 0, max: instantMsMax });
  checkIntegers(activation, `${path}.activation`, { min: 0 });
  checkIntegers(ticket, `${path}.ticket`, { min: 0 });
  const wrong = computed.findIndex((value) => value > 1);
  if (wrong >= 0) {
    throw new MalformedMessageError('message-value', `${path}.computed[${wrong}]`, 'is neither 0 nor 1');
  }
}
