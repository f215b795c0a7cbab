import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import ts from 'typescript';
import { resolveIn } from './bundle-module.ts';
import type { SourceProblem } from './source-problem.ts';
import { usedContract } from './used-contract.ts';

const root = '/rules/';
const sdkPath = '/rule-sdk.ts';

const options: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  lib: ['lib.es2024.d.ts'],
  types: [],
  allowJs: true,
  checkJs: false,
  isolatedModules: true,
  allowImportingTsExtensions: true,
};

/** What is wrong with files, and which contract of the SDK each of them needs. */
export interface CheckedTypes {
  readonly problems: readonly SourceProblem[];
  readonly contracts: ReadonlyMap<string, number>;
}

/** Checks files against the SDK with TypeScript in strict mode; what they import of the files is checked with them. */
export function checkTypes(files: ReadonlyMap<string, string>, entries: readonly string[], sdk: string): CheckedTypes {
  const program = ts.createProgram({
    rootNames: entries.map((entry) => root + entry),
    options,
    host: hostOf(files, sdk),
  });
  const found = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  const contracts = new Map<string, number>();
  const sdkSource = program.getSourceFile(sdkPath);
  const contractOf = (source: ts.SourceFile): number =>
    sdkSource === undefined ? 1 : usedContract(source, program.getTypeChecker(), sdkSource);
  for (const source of program.getSourceFiles()) {
    if (source.fileName.startsWith(root)) {
      found.push(...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source));
      contracts.set(source.fileName.slice(root.length), contractOf(source));
    }
  }
  const problems = found.filter(({ category }) => category === ts.DiagnosticCategory.Error).map(problemOf);
  return { problems, contracts };
}

/** All that TypeScript reads is in memory, but for its own declarations of the language. */
function hostOf(files: ReadonlyMap<string, string>, sdk: string): ts.CompilerHost {
  const library = dirname(ts.getDefaultLibFilePath(options));
  const textOf = (path: string): string | undefined => {
    if (path === sdkPath) {
      return sdk;
    }
    return path.startsWith(root)
      ? files.get(path.slice(root.length))
      : /^lib\.[\w.]+\.d\.ts$/.test(posix.basename(path)) && dirname(path) === library
        ? readFileSync(path, 'utf8')
        : undefined;
  };
  return {
    getSourceFile: (path, languageVersion) => {
      const text = textOf(path);
      return text === undefined ? undefined : ts.createSourceFile(path, text, languageVersion);
    },
    fileExists: (path) => textOf(path) !== undefined,
    readFile: textOf,
    getDefaultLibFileName: () => join(library, 'lib.es2024.d.ts'),
    getDefaultLibLocation: () => library,
    getCurrentDirectory: () => '/',
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    writeFile: () => undefined,
    resolveModuleNameLiterals: (names, importer) =>
      names.map(({ text }) => ({ resolvedModule: resolved(files, text, importer) })),
  };
}

function resolved(
  files: ReadonlyMap<string, string>,
  name: string,
  importer: string,
): ts.ResolvedModuleFull | undefined {
  if (name === '@meterflow/rule-sdk') {
    return { resolvedFileName: sdkPath, extension: ts.Extension.Ts };
  }
  const path = resolveIn(files, posix.join(posix.dirname(importer.slice(root.length)), name));
  return path === undefined
    ? undefined
    : { resolvedFileName: root + path, extension: path.endsWith('.ts') ? ts.Extension.Ts : ts.Extension.Js };
}

/** "Cannot find module", and "install type definitions for it": of an import that is used as a type alone, if at all, and so was not bundled. */
const moduleMissing: readonly number[] = [2307, 2591, 2792];

function problemOf({ file, start = 0, messageText, code }: ts.Diagnostic): SourceProblem {
  const told = ts.flattenDiagnosticMessageText(messageText, '; ').replace(/\s+/g, ' ');
  const message = moduleMissing.includes(code)
    ? `a rule can import '@meterflow/rule-sdk' and files of its folder ('./lib/x.ts'), nothing else`
    : told;
  if (file === undefined) {
    return { file: '', line: 0, column: 0, message };
  }
  const { line, character } = file.getLineAndCharacterOfPosition(start);
  return { file: file.fileName.slice(root.length), line: line + 1, column: character + 1, message };
}
