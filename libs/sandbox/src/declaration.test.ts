import { describe, expect, test } from 'vitest';
import { readDeclaration } from './index.ts';

describe('what a module exports', () => {
  test('comes as JSON has it, functions as true', async () => {
    const told = await readDeclaration(`(() => {
      const own = JSON.parse('{"__proto__": 1}');
      return { name: 'x', top: { default: 1.5 }, onReading() {}, own, none: undefined };
    })()`);
    expect(told).toEqual(JSON.parse('{"name":"x","top":{"default":1.5},"onReading":true,"own":{"__proto__":1}}'));
    expect(({} as Record<string, unknown>)['name']).toBeUndefined();
  });

  test.each([
    ['a throw', '(() => {\nconst a = 1;\nthrow new TypeError("no");\n})()', 'no', 3],
    ['something odd thrown', '(() => { throw { get message() { throw 1; } }; })()', "can't be shown", 0],
    ['a clock', '(() => {\n return Date.now();\n})()', 'Date.now', 2],
    ['a getter that throws', '({ get a() { throw new Error("got"); } })', 'got', 1],
    ['far too much', '({ text: "x".repeat(5_000_000) })', 'longer than', 0],
    ['a syntax error', '(', 'Unexpected', undefined],
  ])('is not told for %s, but where it failed', async (_, expression, ...[message, line]) => {
    const failure = (await readDeclaration(expression).catch((error: unknown) => error)) as Error & { line: number };
    expect(failure.message).toContain(message);
    if (line !== undefined) {
      expect(failure.line).toBe(line);
    }
  });

  test.each([
    ['all memory', '(() => { const all = []; for (;;) { all.push(new Array(1e6).fill(all)); } })()', 'memory'],
    ['an endless loop', '(() => { for (;;) {} })()', 'runs longer than'],
  ])('is not told for %s, and the host goes on', { timeout: 30_000 }, async (_, expression, told) => {
    await expect(readDeclaration(expression)).rejects.toThrow(told);
    expect(await readDeclaration('1 + 1')).toBe(2);
  });
});
