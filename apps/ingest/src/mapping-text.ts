import { mappingSchema, type Mapping } from '@meterflow/formats';
import { LineCounter, parseDocument, isMap, isNode, type Document } from 'yaml';
import type { z } from 'zod';

/** One thing that is wrong with a mapping's text: where it stands, and what. */
export interface MappingProblem {
  /** `line 3, column 7: time.zone` */
  readonly at: string;
  readonly problem: string;
}

/** Thrown for a text that is no mapping; names every problem. */
export class MappingTextError extends Error {
  override readonly name = 'MappingTextError';
  readonly problems: readonly MappingProblem[];

  constructor(problems: readonly MappingProblem[]) {
    super(problems.map(({ at, problem }) => `${at}: ${problem}`).join('; '));
    this.problems = problems;
  }
}

const problemsMax = 50;
/** Aliases make a short text a long one. */
const aliasesMax = 20;

/** Reads a mapping from YAML or JSON, which YAML contains. A text without a name gets `name`; another name is a problem. */
export function readMappingText(text: string, name: string): Mapping {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new MappingTextError(
      document.errors.slice(0, problemsMax).map(({ pos, message }) => ({
        at: placeText(lines, pos[0]),
        problem: message.split('\n')[0] ?? message,
      })),
    );
  }
  const parsed = mappingSchema.safeParse(named(valueOf(document), name));
  const problems = parsed.success
    ? otherName(parsed.data, name)
    : parsed.error.issues.flatMap((issue) => spelledOut(issue));
  if (!parsed.success || problems.length > 0) {
    throw new MappingTextError(problems.slice(0, problemsMax).map((issue) => located(document, lines, issue)));
  }
  return parsed.data;
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function valueOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: aliasesMax });
  } catch (error) {
    throw new MappingTextError([{ at: 'mapping', problem: error instanceof Error ? error.message : String(error) }]);
  }
}

function named(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('name' in value)
    ? { name, ...value }
    : value;
}

function otherName(mapping: Mapping, name: string): Issue[] {
  return mapping.name === name
    ? []
    : [{ path: ['name'], message: `is "${mapping.name}", but the path says "${name}"` }];
}

/** Of alternatives, what is wrong with the one that is nearest; of unknown properties, each. */
function spelledOut(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is not a property of a mapping' }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nearest = issue.errors.reduce((best, branch) => (isNearer(branch, best) ? branch : best));
    if (depthOf(nearest) > 0) {
      return nearest.flatMap((inner) => spelledOut({ ...inner, path: [...issue.path, ...inner.path] }));
    }
    const wanted = issue.errors.flatMap((branch) => branch.map(({ message }) => message));
    return [{ path: issue.path, message: [...new Set(wanted)].join(', or ') }];
  }
  return [issue];
}

type Branch = readonly z.core.$ZodIssue[];

/** Fewer problems, or as many that are found further within. */
function isNearer(branch: Branch, other: Branch): boolean {
  return branch.length < other.length || (branch.length === other.length && depthOf(branch) > depthOf(other));
}

function depthOf(branch: Branch): number {
  return Math.max(0, ...branch.map(({ path }) => path.length));
}

function located(document: Document, lines: LineCounter, { path, message }: Issue): MappingProblem {
  const name = path.map(String).join('.') || 'mapping';
  return { at: `${placeText(lines, offsetOf(document, path))}: ${name}`, problem: message };
}

/** Where the value of a path stands, or that of the nearest part around it. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const pair = isMap(parent) ? parent.items.find(({ key }) => isNode(key) && key.toJSON() === last) : undefined;
    const node: unknown = pair?.key ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) {
      return node.range[0];
    }
  }
  return 0;
}

function placeText(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `line ${Math.max(1, line)}, column ${Math.max(1, col)}`;
}
