import { readFileSync, writeFileSync } from 'node:fs';
import ivm from 'isolated-vm';
import { declarationCharsMax, type DeclarationAnswer } from './declaration-answer.ts';
import { freezeAll, takeAway } from './isolate-lockdown.ts';

// Evaluates a module's code once, in an isolate, and tells what it exports as JSON. Its parent ends it when it takes long.

const isolateMiBMax = 64;

/** Runs inside the isolate, as text: nothing in it may refer to anything outside. Functions are told as true. */
function declared(lockdown: { takeAway: typeof takeAway; freezeAll: typeof freezeAll }, expression: string): string {
  const compile = lockdown.takeAway();
  lockdown.freezeAll();
  try {
    const exported = compile(`'use strict';\nreturn (\n${expression}\n)`)();
    const json = JSON.stringify(exported, (_, value: unknown) => (typeof value === 'function' ? true : value)) as
      string | undefined;
    return JSON.stringify({ json: json ?? 'null' });
  } catch (error) {
    try {
      const { message, stack } = Object(error) as { message: unknown; stack: unknown };
      const line = Number(/<anonymous>:(\d+):\d+\)?(?:\n|$)/.exec(String(stack))?.[1] ?? 4) - 4;
      return JSON.stringify({ problem: String(message).slice(0, 300), line });
    } catch {
      return JSON.stringify({ problem: "it threw something that can't be shown", line: 0 });
    }
  }
}

const program = `return (${declared.toString()})({ takeAway: ${takeAway.toString()}, freezeAll: ${freezeAll.toString()} }, $0)`;

function answer(): DeclarationAnswer {
  const context = new ivm.Isolate({ memoryLimit: isolateMiBMax }).createContextSync();
  const text: unknown = context.evalClosureSync(program, [readFileSync(0, 'utf8')], { result: { copy: true } });
  if (typeof text !== 'string' || text.length > declarationCharsMax) {
    return { problem: `what it exports is longer than ${declarationCharsMax} characters as JSON`, line: 0 };
  }
  return JSON.parse(text) as DeclarationAnswer;
}

writeFileSync(1, JSON.stringify(answer()));
process.exit(0);
