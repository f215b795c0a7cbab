import { findPart, type PartName } from '@meterflow/emulators';
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { repositoryRoot } from './repository.ts';

/** Something that some tests need and that a machine may lack. */
export interface MachinePart {
  readonly name: string;
  /** What the titles of the tests that need it say: `[needs <marker>]`. */
  readonly marker: string;
  readonly present: boolean;
  /** Whether a test that needs it may be skipped in CI where it is absent. */
  readonly absenceAllowed: boolean;
}

/** Looked up anew on every call. */
export function machineParts(env: NodeJS.ProcessEnv = process.env): readonly MachinePart[] {
  const shared = resolve(repositoryRoot, env['METERFLOW_SHARED'] ?? '../shared');
  return [
    required('redis', 'redis-server', env),
    required('pubsub-emulator', "Google's Pub/Sub emulator, or the java it runs on", env),
    required('bigtable-emulator', "Google's Bigtable emulator (cbtemulator)", env),
    {
      name: 'the shared folder (METERFLOW_SHARED, default ../shared)',
      marker: 'shared',
      present: existsSync(shared),
      absenceAllowed: true,
    },
    {
      name: 'kubectl',
      marker: 'kubectl',
      present: onPath('kubectl', env),
      // Debian's own is too old for kustomize 5; others are not to be had everywhere.
      absenceAllowed: true,
    },
    {
      name: 'a Kubernetes cluster (KUBECONFIG)',
      marker: 'KUBECONFIG',
      present: existsSync(env['KUBECONFIG'] ?? ''),
      absenceAllowed: true,
    },
    {
      name: realNode(env),
      marker: 'real-node',
      present: env['METERFLOW_REAL_NODE'] !== undefined,
      // It needs root, and namespaces that many machines deny.
      absenceAllowed: true,
    },
    {
      name: 'the hours that the long form of the cluster suites takes (-- --full)',
      marker: 'full',
      present: env['METERFLOW_FULL'] === 'true',
      absenceAllowed: true,
    },
    {
      name: 'local-bigquery',
      marker: 'local-bigquery',
      present: onPath('local-bigquery', env) || env['METERFLOW_LOCAL_BIGQUERY'] !== undefined,
      absenceAllowed: true,
    },
  ];
}

/** Where it could not be started, the variable says why. */
function realNode({ METERFLOW_REAL_NODE_ABSENT: reason }: NodeJS.ProcessEnv): string {
  return `a real node of Kubernetes (METERFLOW_REAL_NODE)${reason === undefined ? '' : `: ${reason}`}`;
}

function onPath(command: string, env: NodeJS.ProcessEnv): boolean {
  return pathFolders(env).some((folder) => existsSync(join(folder, command)));
}

function required(marker: PartName, name: string, env: NodeJS.ProcessEnv): MachinePart {
  return { name, marker, present: findPart(marker, env) !== undefined, absenceAllowed: false };
}

function pathFolders(env: NodeJS.ProcessEnv): readonly string[] {
  return (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
}
