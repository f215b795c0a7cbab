import { inContainer } from './inspect-sandbox.ts';
import type { Pod } from './local-overlay.ts';

/** What is in a container's image, as a program in it sees it. */
export interface ImageContents {
  readonly uid: number;
  readonly node: string;
  /** Shells, package managers and compilers. */
  readonly tools: readonly string[];
  /** Of ours, outside of packages. */
  readonly sources: readonly string[];
  readonly hasBill: boolean;
  readonly megabytes: number;
}

/** Nobody who gets into a container should find these. */
const tools = [
  'sh',
  'bash',
  'dash',
  'busybox',
  'npm',
  'npx',
  'yarn',
  'apt-get',
  'dpkg',
  'gcc',
  'cc',
  'ld',
  'make',
  'python3',
  'curl',
  'wget',
];
const places = ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'];

/** Runs in the container, which has Node and nothing else; Node's own modules are at hand there without an import. */
const look = `
const { existsSync, lstatSync, readdirSync, statSync } = fs;
const files = readdirSync('/app', { recursive: true });
const bytesOf = (folder) => readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
  const path = folder + '/' + entry.name;
  return sum + (entry.isDirectory() ? bytesOf(path) : entry.isFile() ? statSync(path).size : 0);
}, 0);
const roots = ['/app', '/usr', '/lib', '/lib64', '/etc'].filter((root) => existsSync(root) && !lstatSync(root).isSymbolicLink());
console.log(JSON.stringify({
  uid: process.getuid(),
  node: process.version,
  tools: tools.filter((tool) => places.some((place) => existsSync(place + '/' + tool))),
  sources: files.filter((file) => !file.includes('node_modules') && /[.](ts|tsx|map)$/.test(file)),
  hasBill: files.includes('sbom.cdx.json'),
  megabytes: Math.round(roots.reduce((sum, root) => sum + bytesOf(root), 0) / 1e6),
}));
`;

export async function imageContents(pod: Pod | undefined, container: string): Promise<ImageContents> {
  const named = `const tools = ${JSON.stringify(tools)}, places = ${JSON.stringify(places)};`;
  const asked = await inContainer(pod, container, ['/usr/local/bin/node', '-e', named + look]);
  return JSON.parse(asked) as ImageContents;
}
