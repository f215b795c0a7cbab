import { readFileSync, writeSync } from 'node:fs';
import { bundleModule, type BundledModule } from './bundle-module.ts';
import type { CompileAnswer, CompileRequest } from './compile-request.ts';
import { shownProblems, type SourceProblem } from './source-problem.ts';

// Bundles and checks one project. A process of its own: TypeScript is big, takes as long as hostile types make it take, and
// is ended by its parent when that is too long.

async function answer({ files: texts, entries, sdk, linesBefore }: CompileRequest): Promise<CompileAnswer> {
  const files = new Map(texts);
  const bundles = new Map<string, BundledModule>();
  const problems: SourceProblem[] = [];
  for (const file of entries) {
    const bundled = await bundleModule(files, file, { sdk, linesBefore });
    if ('problems' in bundled) {
      problems.push(...bundled.problems);
    } else {
      bundles.set(file, bundled);
    }
  }
  if (problems.length > 0) {
    return { problems: shownProblems(problems) };
  }
  // What can't be bundled need not load it.
  const { checkTypes } = await import('./check-types.ts');
  const checked = checkTypes(files, entries, sdk);
  if (checked.problems.length > 0) {
    return { problems: shownProblems(checked.problems) };
  }
  const modules = [...bundles].map(([file, bundled]) => ({
    ...{ file, ...bundled },
    contract: Math.max(1, ...bundled.inputs.map((path) => checked.contracts.get(path) ?? 1)),
  }));
  return { modules };
}

function send(text: string): void {
  const bytes = Buffer.from(text);
  for (let sent = 0; sent < bytes.length;) {
    sent += writeSync(1, bytes, sent);
  }
}

send(JSON.stringify(await answer(JSON.parse(readFileSync(0, 'utf8')) as CompileRequest)));
process.exit(0);
