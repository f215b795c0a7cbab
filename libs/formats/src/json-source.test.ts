import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonRow } from './json-rows.ts';
import { JsonSource } from './json-source.ts';
import { probeRowsMax } from './limits.ts';
import { atOneGo } from './steps.ts';
import { UnreadableSourceError } from './unreadable-source-error.ts';

function rowsOf(text: string): readonly JsonRow[] {
  let all: readonly JsonRow[] = [];
  // eslint-disable-next-line require-yield -- takes them at one go
  const source = new JsonSource(function* (_first, rows) {
    all = [...rows];
  });
  atOneGo(source.push(Buffer.from(text)));
  atOneGo(source.end());
  return all;
}

/** What the engine's own parser, which reads all at once, makes of it; undefined for what is no JSON. */
function wholeOf(text: string): readonly unknown[] | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    if (Array.isArray(value)) {
      return value as unknown[];
    }
    const { readings } = value as { readings?: unknown };
    return Array.isArray(readings) ? (readings as unknown[]) : [value];
  } catch {
    return undefined;
  }
}

const blank = fc.constantFrom('', ' ', '\n', '\r\n\t');
/** Long numbers come as texts, which the parser of the whole does not do. */
const shortNumber = (_name: string, each: unknown): unknown =>
  typeof each === 'number' ? Math.round(each % 1_000) : each;
const value = fc.jsonValue({ maxDepth: 3 }).map((each) => JSON.parse(JSON.stringify(each, shortNumber)) as unknown);
const list = fc.tuple(blank, fc.array(fc.tuple(blank, value, blank), { maxLength: 5 })).map(([inside, values]) => {
  const texts = values.map(([before, each, after]) => `${before}${JSON.stringify(each)}${after}`);
  return `[${texts.length === 0 ? inside : texts.join(',')}]`;
});
const object = fc
  .tuple(
    list,
    fc.dictionary(
      fc.string().filter((name) => name !== 'readings'),
      value,
      { maxKeys: 3 },
    ),
  )
  .map(([readings, others]) => {
    const members = Object.entries(others).map(([name, each]) => `${JSON.stringify(name)}: ${JSON.stringify(each)}`);
    return `{${[...members, `"readings" :${readings}`].join(' ,')}}`;
  });
const document = fc.tuple(blank, fc.oneof(list, object), blank).map((parts) => parts.join(''));
const broken = fc
  .tuple(document, fc.nat(), fc.constantFrom('', '"', ',', ':', '[', ']', '{', '}', '\\', '0', ' '), fc.nat(1))
  .map(([text, at, put, cut]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(place + cut);
  });

describe('a JSON document', () => {
  test('gives the values that a parser of the whole gives', () => {
    fc.assert(
      fc.property(document, (text) => {
        expect(rowsOf(text).map((row) => row.value)).toEqual(wholeOf(text));
      }),
    );
  });

  test('that was damaged is refused where a parser of the whole refuses it', () => {
    fc.assert(
      fc.property(broken, (text) => {
        const whole = wholeOf(text);
        try {
          expect(rowsOf(text).map((row) => row.value)).toEqual(whole);
        } catch (error) {
          if (!(error instanceof UnreadableSourceError)) {
            throw error;
          }
          expect(whole === undefined || error.code !== 'invalid-json').toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('is read in steps, also beyond the rows that are looked at first', () => {
    const count = probeRowsMax + 2_345;
    const lines: number[] = [];
    // eslint-disable-next-line require-yield -- takes them at one go
    const source = new JsonSource(function* (_first, rows) {
      for (const { line } of rows) {
        lines.push(line);
      }
    });
    atOneGo(source.push(Buffer.from(`[${'{},'.repeat(count - 1)}{}]`)));
    let steps = 0;
    for (const walk = source.end(); walk.next().done !== true;) {
      steps += 1;
    }
    expect(steps).toBeGreaterThanOrEqual(7);
    expect(lines).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  });

  test('has no reading that is longer than a line may be', () => {
    const rows = rowsOf(`[{"text":"${'x'.repeat(70_000)}"},1]`);
    expect(rows).toMatchObject([
      { line: 1, problem: { code: 'line-too-long' } },
      { line: 2, value: 1 },
    ]);
  });
});
