import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { combinations, everyPair, overlays, renderCombination } from './combinations.ts';
import { k8sFolder } from './k8s-folder.ts';
import { podTemplates } from './policies.ts';
import { render, type KubernetesObject } from './render.ts';

/** A cluster that has the CRDs of KEDA and VPA, and whose owner does not mind a namespace more. */
const kubeconfig = process.env['KUBECONFIG'] ?? '';
const applyMsMax = 300_000;
/** All of them take many minutes: every two components together say nearly as much. */
const isFull = process.env['METERFLOW_FULL'] === 'true';

interface Answer {
  readonly status: number | null;
  readonly stderr: string;
}

function apply(objects: readonly KubernetesObject[], ...options: readonly string[]): Answer {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  const { status, stderr } = spawnSync(
    'kubectl',
    ['apply', '--server-side', '--force-conflicts', '--validate=strict', ...options, '-f', '-'],
    { input: JSON.stringify(list), encoding: 'utf8', timeout: applyMsMax, maxBuffer: 32 * 1024 * 1024 },
  );
  return { status, stderr };
}

const referredTo: ReadonlySet<string> = new Set(['Namespace', 'PriorityClass', 'ServiceAccount']);

/** The pods that would be made: the pod security standard is held against pods, not against Deployments and Jobs. */
function podsOf(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  return objects.flatMap((object) =>
    podTemplates(object).map(({ metadata, spec }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: object.metadata.name, namespace: object.metadata.namespace ?? '' },
      spec,
    })),
  );
}

describe.skipIf(kubeconfig === '' || !existsSync(kubeconfig))('a real API server [needs KUBECONFIG]', () => {
  // What others refer to must be there for a trial; it runs nothing.
  beforeAll(() => {
    const there = render(join(k8sFolder, 'overlays/production-jobs')).filter(({ kind }) => referredTo.has(kind));
    expect(apply(there)).toMatchObject({ status: 0 });
  }, applyMsMax);

  test.each(overlays)(
    'takes the overlay %s, strictly',
    (overlay) => {
      expect(apply(render(join(k8sFolder, 'overlays', overlay)), '--dry-run=server')).toMatchObject({ status: 0 });
    },
    applyMsMax,
  );

  test.each(overlays)(
    'lets the pods of the overlay %s into a namespace that is held to the restricted standard',
    (overlay) => {
      const pods = podsOf(render(join(k8sFolder, 'overlays', overlay)));
      expect(pods.length).toBeGreaterThan(7);
      expect(apply(pods, '--dry-run=server')).toMatchObject({ status: 0 });
    },
    applyMsMax,
  );

  test('refuses a pod that may run as root there: the standard is enforced', () => {
    const [pod] = podsOf(render(join(k8sFolder, 'overlays/local'))) as [KubernetesObject];
    const asRoot = { ...pod, spec: { ...(pod.spec as object), securityContext: { runAsUser: 0 } } };
    expect(apply([asRoot], '--dry-run=server').stderr).toContain('violates PodSecurity');
  });

  // Objects are validated one by one, so each that any combination makes is sent once.
  test(
    'takes everything that every allowed combination of components makes',
    () => {
      const all = combinations();
      const distinct = new Map(
        (isFull ? all : everyPair(all))
          .flatMap((components) => renderCombination(components))
          .map((object) => [JSON.stringify(object), object]),
      );
      expect(all).toHaveLength(4 * (6 + 2 * 8 * 3));
      expect(apply([...distinct.values()], '--dry-run=server')).toMatchObject({ status: 0 });
    },
    4 * applyMsMax,
  );

  test('refuses a field that there is none of: the check bites', () => {
    const [deployment] = render(join(k8sFolder, 'overlays/local')).filter(({ kind }) => kind === 'Deployment');
    const wrong = { ...deployment, spec: { ...(deployment?.spec as object), replica: 1 } } as KubernetesObject;
    const { status, stderr } = apply([wrong], '--dry-run=server');
    expect(status).not.toBe(0);
    expect(stderr).toContain('replica');
  });
});
