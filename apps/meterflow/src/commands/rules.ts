import { readFileSync } from 'node:fs';
import { CommandError, type Told } from '../cli-context.ts';
import { parseExact, shownValue } from '../client/exact-json.ts';
import type { Call } from '../client/local-client.ts';
import { queryString, type Row } from '../client/pages.ts';
import { askingServices, withServer } from '../client/with-server.ts';
import { readProject, rulesOf } from '../rules/read-project.ts';
import { table } from '../terminal/table.ts';

interface OfTenant {
  readonly tenant: string;
}

export interface ActivateOptions extends OfTenant {
  readonly from: string;
  readonly channel?: string;
  readonly parameters?: string;
  readonly onFailure?: string;
}

/** Uploads each rule of a folder, or the one of a file, as a version of its own. */
export async function uploadRules(path: string, { tenant }: OfTenant, told: Told): Promise<void> {
  const project = await readProject(path);
  const rules = rulesOf(project);
  if (rules.length === 0) {
    throw new CommandError('rule-invalid', `there is no rule in ${path}: \`meterflow rules init\` makes an example`);
  }
  const files = Object.fromEntries(project.files);
  const author = process.env['USER'];
  const uploaded: Row[] = [];
  for (const entry of rules) {
    uploaded.push(
      await asked(told, {
        method: 'POST',
        path: '/v1/rules',
        tenant,
        body: { entry, files, ...(author === undefined ? {} : { author }) },
      }),
    );
  }
  const lines = uploaded.map(
    ({ name, version, added }) =>
      `rule ${shownValue(name)} is at version ${shownValue(version)}${added === true ? '' : ' (the same was uploaded before)'}`,
  );
  told.output.line(told.globals.json ? JSON.stringify(uploaded) : lines.join('\n'));
}

export async function listRules(options: OfTenant & { readonly stock?: boolean }, told: Told): Promise<void> {
  const { tenant } = options;
  if (options.stock === true) {
    const stock = (await asked(told, { path: '/v1/stock-rules', tenant })) as { rules: Row[] };
    const cells = stock.rules.map(({ name, parameters, does }) => [
      name,
      Object.keys(parameters as Row).join(', '),
      does,
    ]);
    const rows = cells.map((row) => row.map(shownValue));
    told.output.line(told.globals.json ? JSON.stringify(stock.rules) : table(['name', 'parameters', 'does'], rows));
    return;
  }
  const { rules } = (await asked(told, { path: '/v1/rules', tenant })) as { rules: Row[] };
  told.output.line(told.globals.json ? JSON.stringify(rules) : table(ruleColumns, rules.map(ruleCells)));
}

/** A version with its parameters, the versions there are, and what it changed. */
export async function showRule(wanted: string, { tenant }: OfTenant, told: Told): Promise<void> {
  const { name, version } = versioned(wanted);
  const path = `/v1/rules/${encodeURIComponent(name)}${queryString({ version })}`;
  const rule = await asked(told, { path, tenant });
  if (told.globals.json) {
    told.output.line(JSON.stringify(rule));
    return;
  }
  const parameters = Object.entries(rule['parameters'] as Row).map(([parameter, declared]) => {
    const facts = declared as Row;
    return [parameter, ...['type', 'default', 'min', 'max', 'unit', 'help'].map((fact) => shownValue(facts[fact]))];
  });
  const sections = [
    `rule ${name}, version ${shownValue(rule['version'])}, ${shownValue(rule['id'])}`,
    parameters.length === 0 ? '' : table(['parameter', 'type', 'default', 'min', 'max', 'unit', 'help'], parameters),
    table(ruleColumns, (rule['versions'] as Row[]).map(ruleCells)),
    shownValue(rule['diff']),
  ];
  told.output.line(sections.filter((section) => section !== '').join('\n\n'));
}

export async function activateRule(wanted: string, options: ActivateOptions, told: Told): Promise<void> {
  const { name, version } = versioned(wanted);
  const { tenant, from, channel, parameters, onFailure } = options;
  const body = {
    ...(version === undefined ? {} : { version }),
    from: from.includes('T') ? from : `${from}T00:00:00Z`,
    ...(channel === undefined ? {} : { channels: channel }),
    ...(parameters === undefined ? {} : { parameters: parametersIn(parameters) }),
    ...(onFailure === undefined ? {} : { onFailure }),
  };
  const path = `/v1/rules/${encodeURIComponent(name)}/activate`;
  tellActivations([await asked(told, { method: 'POST', path, tenant, body })], told);
}

export async function rollBackRules({ tenant, to }: OfTenant & { readonly to?: number }, told: Told): Promise<void> {
  const body = to === undefined ? {} : { to };
  const answer = await asked(told, { method: 'POST', path: '/v1/activations/rollback', tenant, body });
  tellActivations(answer['activations'] as Row[], told);
}

export async function listActivations({ tenant }: OfTenant, told: Told): Promise<void> {
  const { activations } = (await asked(told, { path: '/v1/activations', tenant })) as { activations: Row[] };
  tellActivations(activations, told);
}

const ruleColumns = ['name', 'version', 'id', 'createdAt', 'author'];

function ruleCells(rule: Row): string[] {
  return ruleColumns.map((column) =>
    column === 'id' ? shownValue(rule[column]).slice(0, 12) : shownValue(rule[column]),
  );
}

function tellActivations(activations: readonly Row[], { globals, output }: Told): void {
  const steps = (activation: Row): string =>
    (activation['steps'] as Row[])
      .map(({ rule, id, channels, parameters }) => {
        const set = Object.entries(parameters as Row).map(
          ([name, value]) => ` ${name}=${shortened(shownValue(value))}`,
        );
        return `${shownValue(rule)}@${shownValue(id).slice(0, 12)} on ${shownValue(channels)}${set.join('')}`;
      })
      .join(', ');
  const rows = activations.map((activation) => [
    shownValue(activation['number']),
    shownValue(activation['from'] ?? 'always'),
    shownValue(activation['to'] ?? ''),
    steps(activation),
  ]);
  output.line(globals.json ? JSON.stringify(activations) : table(['activation', 'from', 'to', 'flow'], rows));
}

/** A parameter may be a whole table. */
function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40).replaceAll(/\s+/g, ' ')}…` : text;
}

/** `NAME`, or `NAME@VERSION`. */
function versioned(wanted: string): { readonly name: string; readonly version: string | undefined } {
  const [name = '', version] = wanted.split('@');
  return { name, version };
}

/** JSON, or `name=value,name=value`; the value `@file` is the text of that file. */
function parametersIn(text: string): unknown {
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new CommandError('rule-invalid', `--parameters is not JSON: ${(error as Error).message}`, { cause: error });
    }
  }
  const pairs = text.split(',').map((pair) => /^\s*([^=]+?)\s*=(.*)$/.exec(pair));
  if (pairs.includes(null)) {
    throw new CommandError('rule-invalid', '--parameters takes limit=10,quiet=true, or JSON: {"limit": 10}');
  }
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', valueIn(pair?.[2] ?? '')]));
}

function valueIn(text: string): number | string | boolean {
  if (text.startsWith('@')) {
    return textOf(text.slice(1));
  }
  if (text === 'true' || text === 'false') {
    return text === 'true';
  }
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError('file-missing', `the file ${path} can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function asked({ globals }: Told, call: Omit<Call, 'role'>): Promise<Row> {
  const text = await withServer(globals, askingServices, ({ control }) => control.text({ ...call, role: 'customer' }));
  return parseExact(text) as Row;
}
