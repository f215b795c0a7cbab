import { mkdtempSync, openAsBlob, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openGooglePlatform, type GooglePlatform } from '@meterflow/platform';
import type { Receipt } from '@meterflow/receipts';
import { parseServiceConfig } from '@meterflow/service';
import { silentTelemetry } from '@meterflow/stage';
import { repositoryRoot } from '../repository.ts';
import type { Answer, Send } from '../rolling/steady-load.ts';
import { ToldCounts } from '../rolling/told-counts.ts';
import { kubectl, kubectlJson } from './kubectl.ts';
import { nodeAddress } from './real-node.ts';

export const namespace = 'meterflow';
const overlay = join(repositoryRoot, 'k8s/overlays/local');
/** Of pods that share two cores with other work. */
const readySecondsMax = 600;
const answerMsMax = 60_000;
const fileMsMax = 1_800_000;
/** Without one reading more that is stored. */
const standstillMsMax = 300_000;

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
  };
  readonly status: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime: string;
    }[];
    readonly podIP?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  /** Not before it was created. */
  readonly containerID?: string;
  readonly restartCount: number;
  readonly lastState: { readonly terminated?: Terminated };
}

export interface Terminated {
  readonly reason: string;
  readonly exitCode: number;
}

/** `k8s/overlays/local` as it is, on the cluster that KUBECONFIG names, told from inside its network. */
export class LocalOverlay {
  readonly counts: ToldCounts;
  readonly platform: GooglePlatform;
  /** Why pushes failed, in the order in which they did. */
  readonly failures: string[] = [];
  /** From the first object until every Deployment was ready. */
  readonly startedMs: number;
  readonly #folder: string;
  readonly #operatorKey: string;
  #providerKey = '';

  private constructor(given: {
    readonly counts: ToldCounts;
    readonly platform: GooglePlatform;
    readonly startedMs: number;
    readonly folder: string;
    readonly operatorKey: string;
  }) {
    this.counts = given.counts;
    this.platform = given.platform;
    this.startedMs = given.startedMs;
    this.#folder = given.folder;
    this.#operatorKey = given.operatorKey;
  }

  /** Applied to an empty cluster, and ready. */
  static async up(): Promise<LocalOverlay> {
    const counts = await ToldCounts.listen(nodeAddress);
    const fromMs = performance.now();
    await apply('-f', join(repositoryRoot, 'k8s/base/namespace/namespace.yaml'));
    await kubectl(['-n', namespace, 'create', 'secret', 'generic', 'credentials', ...literals(counts.environment)]);
    await apply('-k', overlay);
    await within('wait', 'job/provision', '--for=condition=complete');
    await within('rollout', 'status', 'deployment');
    const startedMs = performance.now() - fromMs;
    const folder = mkdtempSync(join(tmpdir(), 'meterflow-pods-'));
    const platform = await openGooglePlatform(await platformConfig(folder), silentTelemetry);
    const local = new LocalOverlay({ counts, platform, startedMs, folder, operatorKey: await operatorKey() });
    local.#providerKey = await local.newKey('provider');
    return local;
  }

  /** To ingest's Service, by its name, as the first tenant's provider. */
  readonly push: Send = (csv, key) => this.pushAs(this.#providerKey)(csv, key);

  /** With another provider's key. */
  pushAs(providerKey: string): Send {
    const authorization = `Bearer ${providerKey}`;
    return async (csv, key) => {
      const headers = { authorization, 'content-type': 'text/csv', 'idempotency-key': key };
      const fromMs = performance.now();
      const fail = (reason: string): void => {
        this.failures.push(`${reason} after ${Math.round(performance.now() - fromMs)} ms`);
      };
      const asked = { method: 'POST', headers, body: csv };
      const answer = await answerOf(`${door('ingest')}/v1/readings`, asked).catch((error: unknown) => {
        fail(String((error as Error).cause ?? error));
        return undefined;
      });
      if (answer !== undefined && answer.status !== 200) {
        fail(String(answer.status));
      }
      return answer;
    };
  }

  /** Of the first tenant unless told. */
  async newKey(role: 'provider' | 'customer', tenant?: string): Promise<string> {
    const body = { role, ...(tenant === undefined ? {} : { tenant }) };
    return ((await this.ask('POST', '/v1/keys', { body })) as { readonly key: string }).key;
  }

  /** A file as one push; resolves with its source's id once all of it is durable. */
  async pushFile(path: string): Promise<string> {
    const headers = { authorization: `Bearer ${this.#providerKey}`, 'content-type': 'text/csv' };
    const body = await openAsBlob(path);
    const answer = await answerOf(`${door('ingest')}/v1/readings`, { method: 'POST', headers, body }, fileMsMax);
    return (jsonOf(answer, 'the file') as { readonly sourceId: string }).sourceId;
  }

  /** The receipt, once the source is stored and aggregated as a whole. */
  async completed(sourceId: string): Promise<Receipt> {
    let [storedBefore, untilMs] = [-1, 0];
    for (;;) {
      const receipt = (await this.ask('GET', `/v1/sources/${sourceId}?waitSeconds=10`)) as Receipt;
      if (receipt.state === 'complete') {
        return receipt;
      }
      const stored = receipt.inserted + receipt.duplicates;
      if (stored > storedBefore) {
        [storedBefore, untilMs] = [stored, performance.now() + standstillMsMax];
      }
      if (performance.now() > untilMs) {
        throw new Error(`not complete, and nothing more for ${standstillMsMax / 1_000} s: ${JSON.stringify(receipt)}`);
      }
    }
  }

  /** Control's answer to an operator, or to whose key it is. */
  async ask(method: 'GET' | 'POST', path: string, { body, apiKey = this.#operatorKey }: Asked = {}): Promise<unknown> {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
    const options = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    for (let tries = 0; tries < triesMax; tries += 1) {
      const answer = await answerOf(`${door('control')}${path}`, options).catch(() => undefined);
      if (answer !== undefined && answer.status < 500) {
        return jsonOf(answer, `${method} ${path}`);
      }
      await sleep(1_000);
    }
    throw new Error(`${method} ${path}: no answer`);
  }

  async pods(selector = ''): Promise<readonly Pod[]> {
    const found = await kubectlJson<{ items: readonly Pod[] }>('-n', namespace, 'get', 'pods', '-l', selector);
    return found.items;
  }

  /** Resolves when so many pods of the Deployments are ready, and no others are there. */
  async scale(deployments: readonly string[], replicas: number): Promise<void> {
    const names = deployments.map((name) => `deployment/${name}`);
    await kubectl(['-n', namespace, 'scale', `--replicas=${replicas}`, ...names]);
    for (const name of names) {
      await within('rollout', 'status', name);
    }
    const isOfThese = ({ metadata }: Pod): boolean => deployments.some((each) => metadata.name.startsWith(`${each}-`));
    while (replicas === 0 && (await this.pods()).some(isOfThese)) {
      await sleep(500);
    }
  }

  /** Resolves when every Deployment has all the pods that it wants. */
  async ready(): Promise<void> {
    await within('rollout', 'status', 'deployment');
  }

  /** Every pod of a Deployment replaced; how long that took. */
  async roll(deployment: string): Promise<number> {
    const fromMs = performance.now();
    await kubectl(['-n', namespace, 'rollout', 'restart', `deployment/${deployment}`]);
    await within('rollout', 'status', `deployment/${deployment}`);
    return performance.now() - fromMs;
  }

  /** Ends every stage's pods well, so that they have told all that they counted. */
  async told(): Promise<void> {
    await this.scale(stageDeployments, 0);
  }

  async close(): Promise<void> {
    this.counts.close();
    await this.platform.close();
    rmSync(this.#folder, { recursive: true, force: true });
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  }
}

export interface Asked {
  readonly body?: object;
  readonly apiKey?: string;
}

function jsonOf({ status, body }: Answer, asked: string): unknown {
  if (status >= 300) {
    throw new Error(`${asked}: ${status} ${body}`);
  }
  return JSON.parse(body);
}

const triesMax = 30;
const stageServices: readonly string[] = ['rule-execution', 'aggregation', 'persistence'];
/** Every stage in both lanes. */
export const stageDeployments: readonly string[] = stageServices.flatMap((name) => [`${name}-live`, `${name}-bulk`]);
export const allDeployments: readonly string[] = [...stageDeployments, 'ingest', 'control'];

function door(service: string): string {
  return `http://${service}.${namespace}.svc.cluster.local`;
}

function literals(environment: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(environment).map(([name, value]) => `--from-literal=${name}=${value}`);
}

async function apply(...what: readonly string[]): Promise<void> {
  await kubectl(['apply', '--server-side', '--validate=strict', ...what]);
}

async function within(...args: readonly string[]): Promise<void> {
  const limit = `--timeout=${readySecondsMax}s`;
  await kubectl(['-n', namespace, ...args, limit], { timeoutMs: (readySecondsMax + 10) * 1_000 });
}

async function answerOf(url: string, options: RequestInit, waitMsMax = answerMsMax): Promise<Answer> {
  const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(waitMsMax) });
  return { status: answer.status, body: await answer.text() };
}

/** Control writes it into the pod that was first. */
async function operatorKey(): Promise<string> {
  const [pod] = (
    await kubectlJson<{ items: readonly Pod[] }>('-n', namespace, 'get', 'pods', '-l', 'app.kubernetes.io/name=control')
  ).items;
  const program = "fs.readFileSync('/scratch/operator.key', 'utf8').trim()";
  const exec = ['-n', namespace, 'exec', pod?.metadata.name ?? '', '--', '/usr/local/bin/node', '-p', program];
  return (await kubectl(exec)).trim();
}

/** As the pods have it, but for the names of the emulators: those of a process outside the namespace. */
async function platformConfig(folder: string): Promise<Parameters<typeof openGooglePlatform>[0]> {
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  const maps = await kubectlJson<{ items: readonly { metadata: { name: string }; data: Record<string, string> }[] }>(
    '-n',
    namespace,
    'get',
    'configmaps',
  );
  const { data = {} } = maps.items.find(({ metadata }) => metadata.name.startsWith('environment-')) ?? {};
  const outside = Object.entries(data).map(([name, value]): [string, string] => [
    name,
    value.replace(/(pubsub-emulator|bigtable-emulator|redis)(?=:\d)/, `$1.${namespace}.svc.cluster.local`),
  ]);
  const made = { service: 'bench', run: String(process.pid), readText: (path: string) => readFileSync(path, 'utf8') };
  const platformFile = join(overlay, 'platform.json');
  const { platform } = parseServiceConfig(
    { ...Object.fromEntries(outside), METERFLOW_DATA_DIR: folder, METERFLOW_PLATFORM_FILE: platformFile },
    made,
  );
  if (platform.kind !== 'google') {
    throw new Error('the overlay stands on the emulators');
  }
  return platform;
}
