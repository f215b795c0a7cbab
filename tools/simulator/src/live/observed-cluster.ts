import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What was true from an instant on. */
interface Moment<State> {
  readonly atMs: number;
  readonly state: State;
}

/** Of a Deployment, as `kubectl get --watch` told of it. */
interface Replicas {
  readonly spec: number;
  readonly status: number;
}

interface Pods {
  readonly count: number;
  readonly ready: number;
}

const none: Pods = { count: 0, ready: 0 };
/** kubectl prints these of each change. */
const deploymentColumns = '{.type} {.object.metadata.namespace} {.object.spec.replicas} {.object.status.replicas}';
const podColumns =
  '{.type} {.object.metadata.namespace} {.object.metadata.name} {.object.status.conditions[?(@.type=="Ready")].status}';

/** Follows the Deployments and pods with a label, and remembers when what was so. */
export class ObservedCluster {
  readonly #watches: readonly ChildProcess[];
  readonly #replicas = new Map<string, Moment<Replicas>[]>();
  readonly #pods = new Map<string, Moment<Pods>[]>();
  readonly #ready = new Map<string, Map<string, boolean>>();

  constructor(kubeconfig: string, label: string) {
    const watch = (kind: string, columns: string, told: (words: readonly string[]) => void): ChildProcess => {
      const form = ['--watch', '--output-watch-events', '-o', `jsonpath=${columns}{"\\n"}`];
      const child = spawn('kubectl', ['--kubeconfig', kubeconfig, 'get', kind, '-A', '-l', label, ...form], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        told(line.split(' '));
      });
      return child;
    };
    this.#watches = [
      watch('deployments', deploymentColumns, (words) => {
        this.#toldOfDeployment(words);
      }),
      watch('pods', podColumns, (words) => {
        this.#toldOfPod(words);
      }),
    ];
  }

  /** As it was told of until then; undefined before the first word. */
  replicasAt(namespace: string, atMs: number): Replicas | undefined {
    return this.#replicas.get(namespace)?.findLast((moment) => moment.atMs <= atMs)?.state;
  }

  podsAt(namespace: string, atMs: number): Pods {
    return this.#pods.get(namespace)?.findLast((moment) => moment.atMs <= atMs)?.state ?? none;
  }

  close(): void {
    this.#watches.forEach((watch) => watch.kill());
  }

  #toldOfDeployment([, namespace = '', spec = '', status = '']: readonly string[]): void {
    append(this.#replicas, namespace, { spec: Number(spec), status: Number(status) });
  }

  #toldOfPod([type = '', namespace = '', name = '', ready]: readonly string[]): void {
    const pods = this.#ready.get(namespace) ?? new Map<string, boolean>();
    this.#ready.set(namespace, pods);
    if (type === 'DELETED') {
      pods.delete(name);
    } else {
      pods.set(name, ready === 'True');
    }
    append(this.#pods, namespace, { count: pods.size, ready: [...pods.values()].filter(Boolean).length });
  }
}

function append<State>(moments: Map<string, Moment<State>[]>, namespace: string, state: State): void {
  const list = moments.get(namespace) ?? [];
  moments.set(namespace, list);
  list.push({ atMs: Date.now(), state });
}
