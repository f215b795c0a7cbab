import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** A server that is not ours and that tests, benchmarks and `dev --with google-emulators` run against. */
export type PartName = 'pubsub-emulator' | 'bigtable-emulator' | 'redis';

export interface Part {
  readonly name: PartName;
  /** The file to run. */
  readonly command: string;
}

interface Recipe {
  readonly command: string;
  /** Where the gcloud SDK's `platform` folder has it. */
  readonly inSdk?: string;
  /** Another command that it can't run without. */
  readonly runsOn?: string;
  /** What tells a person how to get it. */
  readonly install: string;
}

const recipes: Readonly<Record<PartName, Recipe>> = {
  'pubsub-emulator': {
    command: 'cloud-pubsub-emulator',
    inSdk: 'pubsub-emulator/bin/cloud-pubsub-emulator',
    runsOn: 'java',
    install: 'apt-get install google-cloud-cli-pubsub-emulator default-jre-headless',
  },
  'bigtable-emulator': {
    command: 'cbtemulator',
    inSdk: 'bigtable-emulator/cbtemulator',
    install: 'apt-get install google-cloud-cli-bigtable-emulator',
  },
  redis: { command: 'redis-server', install: 'apt-get install redis-server' },
};

const debianSdk = '/usr/lib/google-cloud-sdk';

/** Thrown by the start functions when this machine lacks the part; says how to get it. */
export class MissingPartError extends Error {
  override readonly name = 'MissingPartError';
}

/** Looks on PATH, then in the gcloud SDK's own folder. Undefined when this machine lacks it. */
export function findPart(name: PartName, env: NodeJS.ProcessEnv = process.env): Part | undefined {
  const { command, inSdk, runsOn } = recipes[name];
  if (runsOn !== undefined && onPath(runsOn, env) === undefined) {
    return undefined;
  }
  const found = onPath(command, env) ?? (inSdk === undefined ? undefined : inSdkFolders(inSdk, env));
  return found === undefined ? undefined : { name, command: found };
}

/** As `findPart`; throws MissingPartError. */
export function requirePart(name: PartName): Part {
  const part = findPart(name);
  if (part === undefined) {
    throw new MissingPartError(`This machine lacks ${recipes[name].command}: ${recipes[name].install}`);
  }
  return part;
}

/**
 * Whether tests that need a part are to be skipped: it is absent and this is not CI, where they run and fail. Their title
 * says `[needs <name>]`.
 */
export function skippedWithout(name: PartName, env: NodeJS.ProcessEnv = process.env): boolean {
  return env['CI'] !== 'true' && findPart(name, env) === undefined;
}

function onPath(command: string, env: NodeJS.ProcessEnv): string | undefined {
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, command))
    .find(isRunnable);
}

/** The SDK is beside the `gcloud` on PATH, or where Debian's package puts it. */
function inSdkFolders(file: string, env: NodeJS.ProcessEnv): string | undefined {
  const gcloud = onPath('gcloud', env);
  const sdks = [...(gcloud === undefined ? [] : [dirname(dirname(realpathSync(gcloud)))]), debianSdk];
  return sdks.map((sdk) => join(sdk, 'platform', file)).find(isRunnable);
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
