import { SourceMap } from 'node:module';
import { posix } from 'node:path';
import { build as bundle, type BuildFailure, type PartialMessage, type Plugin } from 'esbuild';
import type { SourceProblem } from './source-problem.ts';

/** A module with all that it imports, as the body of a function that returns its default export. */
export interface BundledModule {
  readonly body: string;
  /** For each line of the source that it becomes where it comes from: `file:line`, or ''. */
  readonly lines: readonly string[];
  /** Paths of the files in it. */
  readonly inputs: readonly string[];
}

const sdkName = '@meterflow/rule-sdk';
const capture = '__meterflowExport';

/** Bundles one entry of the files; nothing is read from anywhere else. */
export async function bundleModule(
  files: ReadonlyMap<string, string>,
  entry: string,
  { sdk, linesBefore }: { readonly sdk: string; readonly linesBefore: number },
): Promise<BundledModule | { readonly problems: readonly SourceProblem[] }> {
  try {
    const { outputFiles, metafile } = await bundle({
      stdin: { contents: `import exported from ${JSON.stringify(`./${entry}`)};\n${capture}(exported);` },
      plugins: [onlyThese(files, sdk)],
      ...{ bundle: true, write: false, metafile: true, outfile: 'rule.js', sourcemap: 'external', logLevel: 'silent' },
      ...{ format: 'iife', platform: 'neutral', target: 'es2024', charset: 'utf8', legalComments: 'none' },
      absWorkingDir: '/',
      tsconfigRaw: {},
    });
    const [code = '', map = '{}'] = ['rule.js', 'rule.js.map'].map(
      (name) => outputFiles.find(({ path }) => path.endsWith(name))?.text,
    );
    const head = `let exported; const ${capture} = (each) => { exported = each; };\n`;
    const inputs = Object.keys(metafile.inputs).flatMap((path) => (path.startsWith('rule:') ? [path.slice(5)] : []));
    return { body: `${head}${code}return exported;`, lines: linesOf(code, map, linesBefore), inputs: inputs.sort() };
  } catch (error) {
    if (!(error instanceof Error && 'errors' in error)) {
      throw error;
    }
    const { errors } = error as BuildFailure;
    return { problems: errors.map(({ text, location }) => problemOf(text, location, entry)) };
  }
}

function problemOf(text: string, location: BuildFailure['errors'][number]['location'], entry: string): SourceProblem {
  if (location?.file.startsWith('rule:') !== true) {
    const message = text.startsWith('No matching export')
      ? 'it has no default export: end it with `export default defineRule({ … })`; a file that is no rule belongs in a folder below'
      : text;
    return { file: entry, line: 1, column: 1, message };
  }
  return { file: location.file.slice(5), line: location.line, column: location.column + 1, message: text };
}

/** Imports: the SDK, and files of the project by relative path. */
function onlyThese(files: ReadonlyMap<string, string>, sdk: string): Plugin {
  const refused = (text: string): { errors: PartialMessage[] } => ({ errors: [{ text }] });
  return {
    name: 'only-these',
    setup: (build) => {
      build.onResolve({ filter: /.*/ }, ({ path, importer, namespace, kind }) => {
        if (kind !== 'import-statement') {
          return refused(`a rule can import with import statements alone, not ${path} by ${kind}`);
        }
        if (path === sdkName) {
          return { path: sdkName, namespace: 'sdk', sideEffects: false };
        }
        if (!path.startsWith('./') && !path.startsWith('../')) {
          return refused(
            `a rule can import '${sdkName}' and files of its folder ('./lib/x.ts'), nothing else: not '${path}'`,
          );
        }
        const wanted = posix.join(namespace === 'rule' ? posix.dirname(importer) : '.', path);
        if (wanted.startsWith('..')) {
          return refused(`'${path}' is outside of the rule's folder: copy it into the folder and import it from there`);
        }
        const found = resolveIn(files, wanted);
        return found === undefined
          ? refused(`there is no file '${wanted}' in the folder (a rule can import .ts and .js files)`)
          : { path: found, namespace: 'rule' };
      });
      build.onLoad({ filter: /.*/, namespace: 'sdk' }, () => ({ contents: sdk, loader: 'ts' }));
      build.onLoad({ filter: /.*/, namespace: 'rule' }, ({ path }) => ({
        contents: files.get(path) ?? '',
        loader: path.endsWith('.ts') ? 'ts' : 'js',
      }));
    },
  };
}

/** The path of the file that an import means: as written, or with the ending left out, or `.js` for a `.ts`. */
export function resolveIn(files: ReadonlyMap<string, string>, path: string): string | undefined {
  return [path, `${path}.ts`, `${path}.js`, path.replace(/\.js$/, '.ts')].find((each) => files.has(each));
}

function linesOf(code: string, map: string, linesBefore: number): string[] {
  const sources = new SourceMap(JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0]);
  // The line that defines where the export goes stands before the bundle's own.
  const before = Array.from({ length: linesBefore + 1 }, () => '');
  const own = code.split('\n').map((text, line) => {
    const entry = sources.findEntry(line, Math.max(0, text.search(/\S/)));
    const [, path] = /(?:^|\/)rule:(.+)$/.exec('originalSource' in entry ? entry.originalSource : '') ?? [];
    return path === undefined || !('originalLine' in entry) ? '' : `${path}:${entry.originalLine + 1}`;
  });
  return [...before, ...own];
}
