import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What one container of a pod uses. */
export interface ToldUse {
  readonly pod: string;
  readonly container: string;
  /** As Kubernetes writes quantities: `600m`, `700Mi`. */
  readonly cpu: string;
  readonly memory: string;
}

export interface ToldPodMetricsOptions {
  readonly namespace: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

const groupVersion = 'metrics.k8s.io/v1beta1';
const name = 'told-pod-metrics';
const resources = [{ name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] }];

/** Answers as a metrics server does, with what a test tells of the pods of one namespace. */
export class ToldPodMetrics {
  uses: readonly ToldUse[] = [];
  readonly #namespace: string;
  readonly #server: Server;

  private constructor({ namespace, cert, key }: ToldPodMetricsOptions) {
    this.#namespace = namespace;
    this.#server = createServer({ cert, key }, (request, response) => {
      this.#answer(request, response);
    });
  }

  static async listen(options: ToldPodMetricsOptions): Promise<ToldPodMetrics> {
    const told = new ToldPodMetrics(options);
    told.#server.listen(0, '127.0.0.1');
    await once(told.#server, 'listening');
    return told;
  }

  /** What sends the API server's `metrics.k8s.io` here. */
  get manifests(): readonly object[] {
    const { port } = this.#server.address() as AddressInfo;
    const at = { name, namespace: 'kube-system' };
    const [group, version] = groupVersion.split('/');
    const spec = { group, version, groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true };
    return [
      { apiVersion: 'v1', kind: 'Service', metadata: at, spec: { type: 'ExternalName', externalName: 'localhost' } },
      {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1beta1.metrics.k8s.io' },
        spec: { ...spec, service: { ...at, port } },
      },
    ];
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const list = new URL(url, 'https://here').pathname.endsWith('/pods');
    const answer = list
      ? { kind: 'PodMetricsList', apiVersion: groupVersion, metadata: {}, items: this.#pods() }
      : { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  }

  #pods(): object[] {
    const timestamp = new Date().toISOString();
    return [...Map.groupBy(this.uses, ({ pod }) => pod)].map(([pod, uses]) => ({
      metadata: { name: pod, namespace: this.#namespace, creationTimestamp: timestamp },
      timestamp,
      window: '10s',
      containers: uses.map(({ container, cpu, memory }) => ({ name: container, usage: { cpu, memory } })),
    }));
  }
}
