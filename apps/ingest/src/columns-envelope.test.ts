import { decodeReadingBatch, encodeReadingBatch, MalformedMessageError } from '@meterflow/contracts';
import { BatchBuilder, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withOurEnvelope } from './columns-envelope.ts';

function batch(tenant: string, sourceId: string): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series('m', 'c');
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(3, 0));
  for (let index = 0; index < 20; index++) {
    row.startMs = index * 900_000;
    row.lengthMs = 900_000;
    row.integer = index;
    builder.append(row);
  }
  return builder.finish({ tenant, layer: 'validated', sourceId, acceptedAtMs: 1_700_000_000_000, activation: 5 });
}

describe('the envelope of a message', () => {
  test('is a stand-in, whatever stood there, and all else is as it was', () => {
    const name = fc.stringMatching(/^[a-z]{1,20}$/);
    fc.assert(
      fc.property(name, name, (tenant, sourceId) => {
        const sent = batch(tenant, sourceId);
        const { columns, series, ...envelope } = decodeReadingBatch(withOurEnvelope(encodeReadingBatch(sent)));
        expect(envelope).toMatchObject({ tenant: 't', layer: 'raw', sourceId: 's', acceptedAtMs: 0, activation: 0 });
        expect([columns, series]).toEqual([sent.columns, sent.series]);
      }),
      { numRuns: 30 },
    );
  });

  test('of a message that was cut or changed anywhere makes it decode or fail as a message, never otherwise', () => {
    const whole = encodeReadingBatch(batch('acme', 'a.1'));
    const place = fc.integer({ min: 0, max: whole.length - 1 });
    fc.assert(
      fc.property(place, fc.integer({ min: 0, max: 255 }), fc.boolean(), (at, byte, isCut) => {
        const message = isCut ? whole.slice(0, at) : whole.slice().fill(byte, at, at + 1);
        decodesOrFails(message);
      }),
      { numRuns: 500 },
    );
  });

  test('of random bytes does so, too', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), decodesOrFails), { numRuns: 500 });
  });
});

function decodesOrFails(message: Uint8Array): void {
  try {
    decodeReadingBatch(withOurEnvelope(message));
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedMessageError);
  }
}
