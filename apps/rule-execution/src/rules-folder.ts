import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { emptyBatch, RuleFailureError, type Activation, type Flow, type Sandbox } from '@meterflow/rules';
import { instantMsMax, type Activations, type AuditedResult, type AuditTrail } from '@meterflow/registry';
import type { RuleCompiler } from '@meterflow/rule-compiler';
import type { Clock } from '@meterflow/stage';
import { FlowFileError } from './flow-file.ts';
import { folderFlow, folderSignature, type FolderFlow } from './folder-flow.ts';

export interface RulesFolderPorts {
  readonly activations: Pick<Activations, 'create' | 'list'>;
  readonly sandbox: Sandbox;
  readonly compiler: Pick<RuleCompiler, 'compile'>;
  readonly audit: Pick<AuditTrail, 'step'>;
  readonly clock: Clock;
  /** Told of each new activation. */
  readonly onActivated: (activation: Activation) => void;
  /** Told once of each change that makes no flow; what was active stays active. */
  readonly onProblem: (problem: { readonly tenant: string; readonly message: string }) => void;
}

/** How often the folder is looked at. */
const rulesFolderPollMs = 1_000;

/** So far back the folder's last activation is looked for. */
const activationsLookedAt = 100;

/** Who makes what is saved in the folder count. */
const folderAuthor = 'rules folder';
const idCharsShown = 12;

const tenantFolder = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Rules from files: `<folder>/<tenant>/*.ts`, with `flow.json` for order and parameters. Whatever is saved there becomes
 * rule versions and a new activation; what does not compile, or can't be loaded, is told and changes nothing. An empty
 * or missing folder changes nothing either.
 */
export class RulesFolder {
  readonly #folder: string;
  readonly #ports: RulesFolderPorts;
  readonly #seen = new Map<string, string>();

  constructor(folder: string, ports: RulesFolderPorts) {
    this.#folder = folder;
    this.#ports = ports;
  }

  /** Looks again and again until the signal aborts. Never rejects. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => {
        this.#ports.onProblem({ tenant: '', message: `the rules folder can't be read: ${(error as Error).message}` });
      });
      await this.#ports.clock.sleep(rulesFolderPollMs, signal);
    }
  }

  /** Looks once at every tenant's folder. */
  async look(): Promise<void> {
    for (const tenant of await tenantsIn(this.#folder)) {
      await this.#lookAt(tenant);
    }
  }

  async #lookAt(tenant: string): Promise<void> {
    const folder = join(this.#folder, tenant);
    const signature = await folderSignature(folder).catch(() => undefined);
    if (signature === undefined || signature === this.#seen.get(tenant)) {
      return;
    }
    try {
      const found = await folderFlow(folder, this.#ports.compiler);
      if (found !== undefined) {
        await this.#activate(tenant, found);
      }
      this.#seen.set(tenant, signature);
    } catch (error) {
      this.#ports.onProblem({ tenant, message: (error as Error).message });
      // What is wrong with the files is said once; anything else (the registry is down) may be over at the next look.
      if (error instanceof FlowFileError || error instanceof RuleFailureError) {
        this.#seen.set(tenant, signature);
      }
    }
  }

  /**
   * Makes an activation unless the last one that the folder made says the same already: what was activated or rolled
   * back since then by command holds until a file changes.
   */
  async #activate(tenant: string, { flow, decimals }: FolderFlow): Promise<void> {
    await this.#ports.sandbox.run(flow, emptyBatch(tenant));
    const made = await this.#ports.activations.list(tenant, { limit: activationsLookedAt });
    const last = made.find(({ flow: { name } }) => name === flow.name);
    if (last?.decimals === decimals && meaning(last.flow) === meaning(flow)) {
      return;
    }
    const why = 'files were saved';
    const span = { fromMs: -instantMsMax, toMs: instantMsMax };
    const rules = flow.steps.map(({ rule: { name, id } }) => `${name}@${id.slice(0, idCharsShown)}`).join(', ');
    const act = { who: folderAuthor, what: 'rule-activated', subject: `${rules} of all times`, why } as const;
    const work = async (): Promise<AuditedResult<Activation>> => {
      const result = await this.#ports.activations.create(tenant, {
        ...{ flow, decimals, ...span, author: folderAuthor, why },
      });
      return { result, subject: `${act.subject}, activation ${result.number}` };
    };
    this.#ports.onActivated(await this.#ports.audit.step(tenant, act, { work, isRefusal: () => false }));
  }
}

/** Equal for flows that do the same. */
function meaning({ onFailure, steps }: Flow): string {
  const sorted = steps.map(({ rule, parameters, channels, severity = 'terminate' }) => [
    ...[rule.id, channels, severity],
    Object.entries(parameters).sort(),
  ]);
  return JSON.stringify([onFailure, sorted]);
}

async function tenantsIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    return names.filter((name) => tenantFolder.test(name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return [];
    }
    throw error;
  }
}
