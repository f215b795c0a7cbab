import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contractsFolder, runBuf } from './testing/buf.ts';
import { goldenMessages } from './testing/golden-messages.ts';

const folder = join(contractsFolder, 'golden');
const goldens = goldenMessages();

describe.each(goldens)('golden $name', ({ name, kind, message, payload }) => {
  const bytes = readFileSync(join(folder, `${name}.bin`));
  const json = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as object;
  const convert = (from: string, to: string, stdin: Uint8Array | string): Buffer =>
    runBuf(
      ['convert', 'proto', `--type=meterflow.v1.${kind.name}`, `--from=-#format=${from}`, `--to=-#format=${to}`],
      stdin,
    );

  test('the encoder still writes these bytes', () => {
    expect(Buffer.from(payload).equals(bytes)).toBe(true);
  });

  test('the decoder still reads them', () => {
    expect(kind.decode(bytes)).toEqual(message);
  });

  test("Go's protobuf decoder reads in them what they say", () => {
    expect(JSON.parse(convert('binpb', 'json', bytes).toString())).toEqual(json);
  });

  test("what Go's protobuf encoder writes, the decoder reads", () => {
    expect(kind.decode(convert('json', 'binpb', JSON.stringify(json)))).toEqual(message);
  });
});

test('every golden file belongs to a message, and every kind of message has one', () => {
  expect(readdirSync(folder).sort()).toEqual(goldens.flatMap(({ name }) => [`${name}.bin`, `${name}.json`]).sort());
  expect(new Set(goldens.map(({ kind }) => kind.name)).size).toBe(5);
});

test("Go's decoder of the columns view sees each column as the bytes of a typed array", () => {
  const golden = goldens[0]!;
  const type = `--type=meterflow.v1.columns.${golden.kind.name}`;
  const json = JSON.parse(runBuf(['convert', 'proto', type, '--from=-#format=binpb'], golden.payload).toString()) as {
    columns: { valuesNarrow: string; spans: { startMs: string } };
  };
  expect(bytesOf(json.columns.valuesNarrow)).toEqual(new Uint8Array(Int32Array.of(-125, 0, 125, 250).buffer));
  const startsMs = new Float64Array(4).fill(Date.UTC(2024, 2, 31, 12));
  expect(bytesOf(json.columns.spans.startMs)).toEqual(new Uint8Array(startsMs.buffer));
});

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
