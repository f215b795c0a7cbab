import { isTestFile, type RuleCompiler, type SourceProblem } from '@meterflow/rule-compiler';
import {
  instantMsMax,
  restoreActivation,
  type Activations,
  type RuleUpload,
  type RuleVersions,
  type StoredRule,
} from '@meterflow/registry';
import {
  flowProblems,
  isChannelPattern,
  parameterProblems,
  runRuleTests,
  stockRules,
  withoutRule,
  withStep,
  type Activation,
  type FailurePolicy,
  type Flow,
  type FlowProblem,
  type FlowStep,
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
  /** Of the tenant's meters, above 0 and up to 1; all when not given. A share that grows keeps the meters it had. */
  readonly share?: number;
  /** A rule of the flow that it is to stand before; its own place, or the last, when not given. */
  readonly before?: string;
  /** What becomes of a batch on which a rule of the flow fails; as it was when not given. */
  readonly onFailure?: FailurePolicy;
  /** Kept in the activation. */
  readonly who?: string;
  readonly why?: string;
}

export interface RetirementOrder {
  readonly name: string;
  /** On these alone; on all when not given. */
  readonly channels?: string;
  /** Readings from this instant on. */
  readonly fromMs: number;
  readonly who: string;
  readonly why: string;
}

/** A rule as it would be in a flow. */
export interface Candidate {
  readonly rule: Pick<StoredRule, 'number' | 'version' | 'declaration'>;
  readonly step: FlowStep;
  /** The flow with the step in it. Throws {@link RefusedRuleError}. */
  readonly flowUpon: (before: Flow) => Flow;
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
const stockAuthor = 'meterflow';

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
    const tests: { readonly file: string; readonly name: string }[] = [];
    for (const { file, cases } of compiled.tests) {
      const outcomes = await runRuleTests(this.#ports.sandbox, { rule: version, declaration }, cases);
      const failed = outcomes.filter((outcome) => outcome.problem !== undefined);
      if (failed.length > 0) {
        const told = failed.map(({ name, problem: why }) => problem(file, `"${name}": ${why ?? ''}`));
        throw new RefusedRuleError(`${failed.length} of its ${outcomes.length} tests fail`, told);
      }
      tests.push(...outcomes.map((outcome) => ({ file, name: outcome.name })));
    }
    const sources = Object.fromEntries([...rule.files, ...compiled.tests.flatMap((each) => [...each.files])]);
    return this.versions.add(tenant, { version, declaration, files: sources, tests, author });
  }

  /**
   * The version of a tenant's rule that is meant. A stock rule is kept among the tenant's own when it is first activated,
   * and as a further version when a newer build has a newer one: what an activation runs is there for good. A rule of the
   * tenant's own with the same name goes before it. Throws UnknownRuleError.
   */
  async require(tenant: string, name: string, wanted?: string): Promise<StoredRule> {
    const stock = await this.#stock(tenant, name, wanted);
    return stock === undefined
      ? this.versions.require(tenant, name, wanted)
      : (await this.versions.add(tenant, stock)).rule;
  }

  /** The stock rule that is meant; undefined where it is one of the tenant's own. */
  async #stock(tenant: string, name: string, wanted: string | undefined): Promise<RuleUpload | undefined> {
    const stock = wanted === undefined ? stockRules.get(name) : undefined;
    if (stock === undefined) {
      return undefined;
    }
    const [newest] = await this.versions.versions(tenant, name);
    const isOwn = newest !== undefined && newest.author !== stockAuthor;
    return isOwn ? undefined : { ...stock, tests: [], author: stockAuthor };
  }

  /** Makes the tenant's next activation: its flow with this rule in it. Throws {@link RefusedRuleError}, UnknownRuleError. */
  async activate(tenant: string, order: ActivationOrder): Promise<Activation> {
    const { flowUpon } = this.#candidate(await this.require(tenant, order.name, order.version), order);
    return this.activations.change(tenant, ({ flow, decimals }) => ({
      flow: flowUpon(flow),
      ...{ decimals, fromMs: order.fromMs, toMs: instantMsMax },
      ...(order.who === undefined ? {} : { author: order.who, why: order.why ?? '' }),
    }));
  }

  /** Makes the tenant's next activation: its flow without the rule. Throws {@link RefusedRuleError}. */
  retire(tenant: string, { name, channels, fromMs, who, why }: RetirementOrder): Promise<Activation> {
    return this.activations.change(tenant, ({ flow, decimals }) => {
      const without = withoutRule(flow, name, channels);
      if (without === undefined) {
        const told = `no step of the flow is of ${name}: \`rules activations\` shows which there are`;
        throw new RefusedRuleError(`${name} can't be retired`, [problem('name', told)]);
      }
      return { flow: without, decimals, fromMs, toMs: instantMsMax, author: who, why };
    });
  }

  /** What an activation would put into a flow; nothing is kept. Throws the same. */
  async candidate(tenant: string, order: ActivationOrder): Promise<Candidate> {
    const stock = await this.#stock(tenant, order.name, order.version);
    const rule =
      stock === undefined ? await this.versions.require(tenant, order.name, order.version) : { ...stock, number: 1 };
    return this.#candidate(rule, order);
  }

  #candidate(rule: Candidate['rule'], order: ActivationOrder): Candidate {
    const { version, declaration } = rule;
    const { channels = declaration.channels[0] ?? '*', parameters, share = 1, onFailure } = order;
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
    const step = { rule: version, parameters, channels, ...(share < 1 ? { share: { from: 0, to: share } } : {}) };
    const flowUpon = (before: Flow): Flow => {
      if (order.before !== undefined && !isOther(before, order.before, version.name)) {
        const told = problem('before', `the flow has no other rule ${order.before}: \`rules activations\` shows it`);
        throw new RefusedRuleError(`${order.name} can't be activated so`, [told]);
      }
      const flow = withStep(before, step, order.before);
      if (flow === undefined) {
        const told = problem('share', 'it runs so on a larger share of the meters already: `rules rollback` goes back');
        throw new RefusedRuleError(`${order.name} can't be activated so`, [told]);
      }
      const known = new Set(flowProblems(before).map(textOf));
      const told = flowProblems(flow).filter((each) => !known.has(textOf(each)));
      if (told.length > 0) {
        const problems = told.map((each) => problem('channels', textOf(each)));
        throw new RefusedRuleError(`${order.name} can't be activated so`, problems);
      }
      return { ...flow, onFailure: onFailure ?? flow.onFailure };
    };
    return { rule, step, flowUpon };
  }

  /** Makes what counted under an activation count again: the one before the newest unless told. */
  rollBack(
    tenant: string,
    { number, who, why = '' }: { readonly number?: number; readonly who?: string; readonly why?: string } = {},
  ): Promise<readonly Activation[]> {
    return restoreActivation(this.activations, tenant, {
      ...(number === undefined ? {} : { number }),
      ...(who === undefined ? {} : { author: who, why }),
    });
  }
}

function isOther({ steps }: Flow, wanted: string, own: string): boolean {
  return wanted !== own && steps.some(({ rule }) => rule.name === wanted);
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

function textOf({ rule, problem: told }: FlowProblem): string {
  return `${rule} ${told}`;
}

function stem(path: string): string {
  return path.replace(/\.[jt]s$/, '');
}

function problem(file: string, message: string): SourceProblem {
  return { file, line: 0, column: 0, message };
}
