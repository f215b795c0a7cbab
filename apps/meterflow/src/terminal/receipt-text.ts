import type { Receipt } from '@meterflow/receipts';
import { short } from './progress-bar.ts';

/** A receipt for a person. */
export function receiptText(receipt: Receipt): string {
  const { received, accepted, rejected, inserted, duplicates, superseded, shadowed, conflicts } = receipt;
  const rate = receipt.seconds > 0 ? `, ${short(accepted / receipt.seconds)} readings/s` : '';
  const lines = [
    `${receipt.label === '' ? 'request' : receipt.label}  (source ${receipt.sourceId})`,
    `  received    ${received}`,
    `  accepted    ${accepted}  = ${inserted} inserted + ${duplicates} duplicates + ${superseded} superseded + ${shadowed} shadowed + ${conflicts} conflicts`,
    `  rejected    ${rejected}`,
    `  aggregates  ${receipt.aggregatesWritten} written`,
    `  took        ${receipt.seconds.toFixed(2)} s${rate}`,
  ];
  if (receipt.repeated + receipt.gaps > 0) {
    lines.push(`  noticed     ${receipt.repeated} repeated, ${receipt.gaps} gaps with ${receipt.missing} missing`);
  }
  if (receipt.assumed > 0) {
    lines.push(
      `  assumed     ${receipt.assumed} readings to be of 15 minutes: nothing tells it (docs/doors.md, "Name the columns")`,
    );
  }
  if (receipt.batchesDead + receipt.batchesParked > 0) {
    lines.push(
      `  not stored  ${receipt.batchesDead} batches are dead letters, ${receipt.batchesParked} are parked: meterflow dead-letters list`,
    );
  }
  const told = [...receipt.rejects, ...receipt.remarks].map(
    ({ line, column, code, reason }) => `    line ${line}${column === '' ? '' : `, ${column}`}: ${reason} (${code})`,
  );
  return [...lines, ...told].join('\n');
}
