import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** The folder of the innermost package that a file of `node_modules` belongs to. */
const packageFolder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

/**
 * What an image holds that is not ours, as CycloneDX: Node, and every package of which the files or folders given are a part.
 * The same files make the same bill: it has no date and no serial number.
 */
export function billOfMaterials(service: string, files: readonly string[], root: string): object {
  const folders = new Set(files.flatMap((file) => packageFolder.exec(file.replaceAll('\\', '/')) ?? []));
  const packages = [...folders].flatMap((folder) => manifestOf(join(root, folder)));
  const distinct = new Map(packages.map((each) => [`${each.name}@${each.version}`, each]));
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name: `meterflow/${service}`, 'bom-ref': service } },
    components: [
      {
        type: 'platform',
        name: 'node',
        version: process.versions.node,
        purl: `pkg:generic/node@${process.versions.node}`,
      },
      ...[...distinct.keys()].toSorted().map((key) => libraryOf(distinct.get(key) as Manifest)),
    ],
  };
}

function manifestOf(folder: string): readonly Manifest[] {
  const file = join(folder, 'package.json');
  const manifest = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : undefined;
  return manifest === undefined || manifest.name.startsWith('@meterflow/') ? [] : [manifest];
}

function libraryOf({ name, version, license }: Manifest): object {
  return {
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
  };
}
