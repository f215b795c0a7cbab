import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { contractsFolder, runBuf } from './testing/buf.ts';
import { messageKinds } from './testing/message-kinds.ts';

const packed: readonly ScalarType[] = [ScalarType.FIXED32, ScalarType.SFIXED32, ScalarType.DOUBLE];

test.each(messageKinds)('the two views of $name differ in their columns alone', ({ schema, columnsSchema }) => {
  expectSameWire(schema, columnsSchema);
});

/** Field by field: a packed column here is bytes there, and all else is the same. */
function expectSameWire(ordinary: DescMessage, columns: DescMessage): void {
  if (ordinary === columns) {
    return;
  }
  expect(columns.name).toBe(ordinary.name);
  expect(columns.fields.map(({ number, name }) => ({ number, name }))).toEqual(
    ordinary.fields.map(({ number, name }) => ({ number, name })),
  );
  ordinary.fields.forEach((field, index) => {
    const other = columns.fields[index]!;
    if (isPackedColumn(field)) {
      expect(`${other.fieldKind} ${other.scalar}`, field.toString()).toBe(`scalar ${ScalarType.BYTES}`);
    } else {
      expect(typeOf(other), field.toString()).toBe(typeOf(field));
      if (field.message !== undefined) {
        expectSameWire(field.message, other.message!);
      }
    }
  });
}

function isPackedColumn(field: DescField): boolean {
  return field.fieldKind === 'list' && field.listKind === 'scalar' && packed.includes(field.scalar);
}

function typeOf(field: DescField): string {
  return [field.fieldKind, field.scalar, field.enum?.name, field.message?.name].join(' ');
}

test('the generated code is what the .proto files say', () => {
  const out = mkdtempSync(join(tmpdir(), 'meterflow-generated-'));
  try {
    generateInto(out);
    const generated = filesOf(join(out, 'src/gen'));
    expect(generated.size).toBe(4);
    expect(generated).toEqual(filesOf(join(contractsFolder, 'src/gen')));
  } finally {
    rmSync(out, { recursive: true });
  }
});

function generateInto(out: string): void {
  // buf looks for its local plugin on PATH, and the plugin's first line for node.
  const tools = [
    join(contractsFolder, '../../node_modules/.bin'),
    dirname(process.execPath),
    process.env['PATH'] ?? '',
  ];
  runBuf(['generate', '--output', out], '', { PATH: tools.join(delimiter) });
}

function filesOf(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

test('the .proto files keep the rules of their own lint', () => {
  expect(runBuf(['lint']).toString()).toBe('');
  expect(runBuf(['format', '--diff']).toString()).toBe('');
});
