import { isRuleName, type RuleDeclaration, type RuleVersion } from '@meterflow/rules';
import { z } from 'zod';
import { entries } from './entries.ts';
import { parseEntry } from './parse-entry.ts';
import { RevisionConflictError, type Registry, type RegistryEntry } from './registry.ts';
import { ruleVersionSchema, seriesNeedsSchema } from './rule-version-schema.ts';

/** What a customer uploaded: an immutable version of a rule, with all that it was made of. */
export interface StoredRule {
  /** Counts the versions of one name from 1. */
  readonly number: number;
  readonly version: RuleVersion;
  readonly declaration: RuleDeclaration;
  /** Sources by path; tests too. */
  readonly files: Readonly<Record<string, string>>;
  /** Its own tests, all of which passed when it was uploaded. They are no part of the id: a test changes no reading. */
  readonly tests: readonly { readonly file: string; readonly name: string }[];
  readonly author: string;
  readonly createdAtMs: number;
}

export type RuleUpload = Omit<StoredRule, 'number' | 'createdAtMs'>;

/** Thrown when a tenant has no rule, or no version, of that name. */
export class UnknownRuleError extends Error {
  override readonly name = 'UnknownRuleError';
}

/** Thrown when a rule has as many versions as it may have. */
export class TooManyVersionsError extends Error {
  override readonly name = 'TooManyVersionsError';
}

export const ruleVersionsMax = 1_000;
const numberMax = 999_999;
const attemptsMax = 20;

const parameter = z.looseObject({ type: z.enum(['number', 'string', 'boolean']) });
// Loose: what a newer build adds must survive being read here.
const ruleSchema = z.looseObject({
  number: z.number().int().min(1),
  version: ruleVersionSchema,
  declaration: z.looseObject({
    name: z.string(),
    parameters: z.record(z.string(), parameter),
    channels: z.array(z.string()),
    series: seriesNeedsSchema.exactOptional(),
  }),
  files: z.record(z.string(), z.string()),
  tests: z.array(z.object({ file: z.string(), name: z.string() })).default([]),
  author: z.string(),
  createdAtMs: z.number(),
});

/** The rules that tenants uploaded. A version, once stored, never changes. */
export class RuleVersions {
  readonly #registry: Registry;
  readonly #nowMs: () => number;

  constructor(ports: { readonly registry: Registry; readonly nowMs: () => number }) {
    this.#registry = ports.registry;
    this.#nowMs = ports.nowMs;
  }

  /** Stores the next version; the one that is there where the same was uploaded before. Throws {@link TooManyVersionsError}. */
  async add(tenant: string, upload: RuleUpload): Promise<{ readonly rule: StoredRule; readonly added: boolean }> {
    const { name } = upload.version;
    for (let attempt = 1; ; attempt++) {
      const known = await this.versions(tenant, name);
      const same = known.find(({ version }) => version.id === upload.version.id);
      if (same !== undefined) {
        return { rule: same, added: false };
      }
      if (known.length >= ruleVersionsMax) {
        throw new TooManyVersionsError(`rule ${name} has ${known.length} versions, the most: go on under another name`);
      }
      const rule = { ...upload, number: (known[0]?.number ?? 0) + 1, createdAtMs: this.#nowMs() };
      try {
        await this.#registry.put('rule', entryName(tenant, name, rule.number), { value: rule, expectedRevision: 0 });
        return { rule, added: true };
      } catch (error) {
        if (!(error instanceof RevisionConflictError) || attempt === attemptsMax) {
          throw error;
        }
      }
    }
  }

  /** The newest version, or the one of that number or (at least 7 digits of) id. Throws {@link UnknownRuleError}. */
  async require(tenant: string, name: string, wanted?: string): Promise<StoredRule> {
    const known = await this.versions(tenant, name);
    const found =
      wanted === undefined
        ? known[0]
        : known.find(({ number, version }) => String(number) === wanted || isIdOf(version.id, wanted));
    if (found === undefined) {
      throw new UnknownRuleError(
        known.length === 0
          ? `there is no rule ${name}: \`meterflow rules list\` shows which there are`
          : `rule ${name} has no version ${wanted ?? ''}: it has 1 to ${known[0]?.number ?? 0}`,
      );
    }
    return found;
  }

  /** All versions of a rule, newest first. */
  async versions(tenant: string, name: string): Promise<readonly StoredRule[]> {
    if (!isRuleName(name)) {
      return [];
    }
    const found = await this.#registry.list('rule', { prefix: `${tenant}/${name}/`, limit: ruleVersionsMax });
    return found.map(storedRule);
  }

  /** The newest version of each rule, by name. */
  async list(tenant: string): Promise<readonly StoredRule[]> {
    const newest = new Map<string, StoredRule>();
    for await (const entry of entries(this.#registry, 'rule', `${tenant}/`)) {
      const rule = storedRule(entry);
      if (!newest.has(rule.version.name)) {
        newest.set(rule.version.name, rule);
      }
    }
    return [...newest.values()];
  }
}

function isIdOf(id: string, wanted: string): boolean {
  return /^[0-9a-f]{7,64}$/.test(wanted) && id.startsWith(wanted);
}

// Names count down, so that the newest version is the first of a list.
function entryName(tenant: string, name: string, number: number): string {
  return `${tenant}/${name}/${(numberMax - number).toString().padStart(6, '0')}`;
}

function storedRule(entry: RegistryEntry<unknown>): StoredRule {
  return parseEntry(ruleSchema, entry);
}
