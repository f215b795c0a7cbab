import { noOutcomes } from '@meterflow/idempotent-writes';
import { expect, test } from 'vitest';
import { decodeStored, encodeStored } from './ledger-cell.ts';

const told = { writeKey: 'k', counts: { ...noOutcomes, inserted: 3, conflict: 1 } };

test('a row of the ledger comes back as it was', () => {
  expect(decodeStored(encodeStored(told))).toEqual(told);
});

test('what the next format adds at its end is passed over', () => {
  const values = JSON.parse(encodeStored(told).toString()) as unknown[];
  const next = Buffer.from(JSON.stringify([2, ...values.slice(1), 9, { added: 'next' }]));
  expect(decodeStored(next)).toEqual(told);
});
