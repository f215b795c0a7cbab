import { existsSync, globSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
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
  const required = (marker: string, name: string, present: boolean): MachinePart => ({
    name,
    marker,
    present,
    absenceAllowed: false,
  });
  const shared = resolve(repositoryRoot, env['METERFLOW_SHARED'] ?? '../shared');
  return [
    required('redis', 'redis-server', onPath('redis-server', env)),
    required(
      'pubsub-emulator',
      "Google's Pub/Sub emulator",
      sdkHolds('pubsub-emulator/bin/cloud-pubsub-emulator', env) || sdkHolds('pubsub-emulator/lib/*.jar', env),
    ),
    required(
      'bigtable-emulator',
      "Google's Bigtable emulator (cbtemulator)",
      onPath('cbtemulator', env) || sdkHolds('bigtable-emulator/cbtemulator', env),
    ),
    {
      name: 'the shared folder (METERFLOW_SHARED, default ../shared)',
      marker: 'shared',
      present: existsSync(shared),
      absenceAllowed: true,
    },
    {
      name: 'local-bigquery',
      marker: 'local-bigquery',
      present: onPath('local-bigquery', env),
      absenceAllowed: true,
    },
  ];
}

function onPath(command: string, env: NodeJS.ProcessEnv): boolean {
  return pathFolders(env).some((folder) => existsSync(join(folder, command)));
}

/** Whether the gcloud SDK's platform folder holds a file. The SDK is beside the `gcloud` on PATH, or where Debian puts it. */
function sdkHolds(pattern: string, env: NodeJS.ProcessEnv): boolean {
  const gclouds = pathFolders(env)
    .map((folder) => join(folder, 'gcloud'))
    .filter((file) => existsSync(file));
  const sdks = [...gclouds.map((file) => dirname(dirname(realpathSync(file)))), '/usr/lib/google-cloud-sdk'];
  return sdks.some((sdk) => globSync(pattern, { cwd: join(sdk, 'platform') }).length > 0);
}

function pathFolders(env: NodeJS.ProcessEnv): readonly string[] {
  return (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
}
