// Lays out what the image of one service holds: `node lay-out.ts SERVICE FOLDER`. Called by docker/Dockerfile, after `npm ci`.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { billOfMaterials } from './bill-of-materials.ts';
import { bundleApp } from './bundle-app.ts';
import { repositoryRoot } from './repository.ts';

/** SQL and the embedded stores are not for clusters. */
const neverThere: readonly string[] = ['sql-child.js'];
/** The children of rule-execution run in the sandbox's own container. */
const notThere: Readonly<Record<string, readonly string[]>> = {
  'rule-execution': ['sandbox-child.js', 'sandbox-declaration-child.js', 'rule-compile-child.js', 'rule-sdk.ts'],
};
/** What cannot be bundled: native code, and what reads files beside itself. Only who runs or checks rules needs it. */
const packages: Readonly<Record<string, readonly string[]>> = {
  control: ['isolated-vm', 'node-gyp-build', 'typescript', 'esbuild', `@esbuild/linux-${process.arch}`],
  sandbox: ['isolated-vm', 'node-gyp-build'],
};
/** The client of Bigtable reads definitions from this package's folder, when it is loaded. */
const readByBigtable = '@google-cloud/bigtable-api';
/** Of isolated-vm the built part alone, for this system; of the definitions what is read, and the file that is looked for. */
const notOfPackages =
  /isolated-vm\/(src|vendor|native-example|scripts|.*\.tgz|prebuilds\/(darwin|win32)-)|bigtable-api\/build\/(src\/(?!index\.js$)|protos\/protos\.(js|d\.ts)$)/;

const [service, target] = process.argv.slice(2);
if (service === undefined || !/^[a-z-]+$/.test(service) || target === undefined) {
  throw new Error('usage: lay-out.ts SERVICE FOLDER');
}

await layOut(service, target);

async function layOut(name: string, out: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'lay-out-'));
  const home = ['apps', 'tools'].find((folder) => existsSync(join(repositoryRoot, folder, name, 'src/main.ts')));
  const { folder, inputs } = await bundleApp(`${home ?? 'apps'}/${name}`, work);
  const left = new Set([...neverThere, ...(notThere[name] ?? [])]);
  cpSync(folder, out, { recursive: true, filter: (file) => !file.endsWith('.map') && !left.has(basename(file)) });
  const files = Object.entries(inputs).flatMap(([file, of]) => (left.has(file) ? [] : of));
  const speaksBigtable = files.some((file) => file.includes(`${readByBigtable}/`));
  const beside = [...(packages[name] ?? []), ...(speaksBigtable ? [readByBigtable] : [])];
  for (const each of beside) {
    const copy = join(out, 'node_modules', each);
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(join(repositoryRoot, 'node_modules', each), copy, {
      recursive: true,
      // Where a package is a link, what it points to is copied.
      dereference: true,
      filter: (file) => !notOfPackages.test(file.replaceAll('\\', '/')),
    });
  }
  const folders = beside.map((each) => `node_modules/${each}`);
  const bill = billOfMaterials(name, [...files, ...folders], repositoryRoot);
  writeFileSync(join(out, 'sbom.cdx.json'), `${JSON.stringify(bill, undefined, 2)}\n`);
  rmSync(work, { recursive: true });
}
