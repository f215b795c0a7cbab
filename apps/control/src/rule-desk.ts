import { isTestFile, type RuleCompiler, type SourceProblem } from '@meterflow/rule-compiler';
import {
  instantMsMax,
  restoreActivation,
  type Activations,
  type RuleVersions,
  type StoredRule,
} from '@meterflow/registry';
import {
  isChannelPattern,
  parameterProblems,
  runRuleTests,
  stockRules,
  withStep,
  type Activation,
  type FailurePolicy,
  type ParameterValue,
  type Sandbox,
} from '@meterflow/rules';

export interface RuleSources {
  readonly files: ReadonlyMap<string, string>;
  /** The file that exports the rule. */
  readonly entry: string;
  readonly author: string;
}

export interface ActivationOrder {
  readonly name: string;
  /** A number or the beginning of an id; the newest when not given. */
  readonly version?: string;
  /** Readings from this instant on. */
  readonly fromMs: number;
  /** A channel or a glob; those that the rule is made for when not given. */
  readonly channels?: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** What becomes of a batch on which a rule of the flow fails; as it was when not given. */
  readonly onFailure?: FailurePolicy;
}

/** Thrown when sources, or what a rule is to be activated with, can't be taken; nothing was changed. */
export class RefusedRuleError extends Error {
  override readonly name = 'RefusedRuleError';
  readonly problems: readonly SourceProblem[];

  constructor(message: string, problems: readonly SourceProblem[]) {
    super(message);
    this.problems = problems;
  }
}

export interface RuleDeskPorts {
  readonly compiler: Pick<RuleCompiler, 'compile'>;
  readonly sandbox: Sandbox;
  readonly versions: RuleVersions;
  readonly activations: Activations;
}

/** The author of stock rules among a tenant's own; nobody else can be that. */
export const stockAuthor = 'meterflow';

/** What a customer does with rules: upload, look, activate, go back. Each tenant sees its own alone. */
export class RuleDesk {
  readonly versions: RuleVersions;
  readonly activations: Activations;
  readonly #ports: RuleDeskPorts;

  constructor(ports: RuleDeskPorts) {
    this.versions = ports.versions;
    this.activations = ports.activations;
    this.#ports = ports;
  }

  /** Compiles, runs the rule's own tests, stores. Throws {@link RefusedRuleError}. */
  async upload(tenant: string, { files, entry, author }: RuleSources): ReturnType<RuleVersions['add']> {
    if (author === stockAuthor) {
      throw new RefusedRuleError('the rule is not taken', [
        problem('author', `${stockAuthor} is the author of stock rules: name another`),
      ]);
    }
    const test = [...files.keys()].find(
      (path) => isTestFile(path) && /^(.*)\.test\.[jt]s$/.exec(path)?.[1] === stem(entry),
    );
    const compiled = await this.#ports.compiler.compile({
      files,
      entries: test === undefined ? [entry] : [entry, test],
    });
    if ('problems' in compiled) {
      throw new RefusedRuleError('the rule does not compile', compiled.problems);
    }
    const [rule] = compiled.rules;
    if (rule === undefined) {
      throw new RefusedRuleError('there is no rule in it', [problem(entry, 'it is a test: name the rule’s own file')]);
    }
    const { version, declaration } = rule;
    for (const { file, cases } of compiled.tests) {
      const outcomes = await runRuleTests(this.#ports.sandbox, { rule: version, declaration }, cases);
      const failed = outcomes.filter((outcome) => outcome.problem !== undefined);
      if (failed.length > 0) {
        const told = failed.map(({ name, problem: why }) => problem(file, `"${name}": ${why ?? ''}`));
        throw new RefusedRuleError(`${failed.length} of its ${outcomes.length} tests fail`, told);
      }
    }
    const sources = Object.fromEntries([...rule.files, ...compiled.tests.flatMap((each) => [...each.files])]);
    return this.versions.add(tenant, { version, declaration, files: sources, author });
  }

  /**
   * The version of a tenant's rule that is meant. A stock rule is kept among the tenant's own when it is first asked for,
   * and as a further version when a newer build has a newer one: what an activation runs is there for good. A rule of the
   * tenant's own with the same name goes before it. Throws UnknownRuleError.
   */
  async require(tenant: string, name: string, wanted?: string): Promise<StoredRule> {
    const stock = wanted === undefined ? stockRules.get(name) : undefined;
    if (stock !== undefined) {
      const [newest] = await this.versions.versions(tenant, name);
      if (newest === undefined || newest.author === stockAuthor) {
        return (await this.versions.add(tenant, { ...stock, author: stockAuthor })).rule;
      }
    }
    return this.versions.require(tenant, name, wanted);
  }

  /** Makes the tenant's next activation: its flow with this rule in it. Throws {@link RefusedRuleError}, UnknownRuleError. */
  async activate(tenant: string, order: ActivationOrder): Promise<Activation> {
    const { version, declaration } = await this.require(tenant, order.name, order.version);
    const { channels = declaration.channels[0] ?? '*', parameters, fromMs } = order;
    const problems = parameterProblems(declaration, parameters).map((each) =>
      problem(`parameters.${each.parameter}`, `${each.parameter} ${each.problem}`),
    );
    const unfit = channelProblem(channels, declaration.channels);
    if (unfit !== undefined) {
      problems.push(problem('channels', unfit));
    }
    if (problems.length > 0) {
      throw new RefusedRuleError(`${order.name} can't be activated so`, problems);
    }
    const newest = await this.activations.readNewest(tenant);
    const flow = withStep(newest.flow, { rule: version, parameters, channels });
    return this.activations.create(tenant, {
      flow: { ...flow, onFailure: order.onFailure ?? flow.onFailure },
      decimals: newest.decimals,
      fromMs,
      toMs: instantMsMax,
    });
  }

  /** Makes what counted under an activation count again: the one before the newest unless told. */
  rollBack(tenant: string, number?: number): Promise<readonly Activation[]> {
    return restoreActivation(this.activations, tenant, number);
  }
}

function channelProblem(channels: string, made: readonly string[]): string | undefined {
  if (!isChannelPattern(channels)) {
    return `"${channels.slice(0, 80)}" is neither a channel nor a glob like import*`;
  }
  const covers = (glob: string): boolean =>
    glob
      .split('*')
      .every((part, index, parts) =>
        parts.length === 1 ? channels === part : index === 0 ? channels.startsWith(part) : channels.includes(part),
      );
  return made.some(covers)
    ? undefined
    : `the rule is made for ${made.join(', ')}, not for ${channels}: name one of these`;
}

function stem(path: string): string {
  return path.replace(/\.[jt]s$/, '');
}

function problem(file: string, message: string): SourceProblem {
  return { file, line: 0, column: 0, message };
}
