import { CommandError, type Told } from '../cli-context.ts';
import { floatValue, parseExact, shownValue } from '../client/exact-json.ts';
import type { Call } from '../client/local-client.ts';
import { queryString, type Row } from '../client/pages.ts';
import { askingServices, withServer } from '../client/with-server.ts';
import { readProject, rulesOf } from '../rules/read-project.ts';
import { author, parametersIn, versioned } from '../rules/rule-words.ts';
import { table } from '../terminal/table.ts';

interface OfTenant {
  readonly tenant: string;
}

interface Explained extends OfTenant {
  /** Stands in the audit trail. */
  readonly why?: string;
}

export interface ActivateOptions extends Explained {
  readonly from: string;
  readonly channel?: string;
  readonly parameters?: string;
  readonly before?: string;
  readonly onFailure?: string;
  readonly share?: number;
}

/** Uploads each rule of a folder, or the one of a file, as a version of its own. */
export async function uploadRules(path: string, { tenant, why }: Explained, told: Told): Promise<void> {
  const project = await readProject(path);
  const rules = rulesOf(project);
  if (rules.length === 0) {
    throw new CommandError('rule-invalid', `there is no rule in ${path}: \`meterflow rules init\` makes an example`);
  }
  const files = Object.fromEntries(project.files);
  const uploaded: Row[] = [];
  for (const entry of rules) {
    uploaded.push(
      await asked(told, {
        method: 'POST',
        path: '/v1/rules',
        tenant,
        body: { entry, files, ...explained(why) },
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
  const { tenant, from, channel, parameters, before, onFailure, share } = options;
  const body = {
    ...(version === undefined ? {} : { version }),
    from: instantOf(from),
    ...(channel === undefined ? {} : { channels: channel }),
    ...(parameters === undefined ? {} : { parameters: parametersIn(parameters) }),
    ...(before === undefined ? {} : { before }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(share === undefined ? {} : { share }),
    ...explained(options.why),
  };
  const path = `/v1/rules/${encodeURIComponent(name)}/activate`;
  const activation = await asked(told, { method: 'POST', path, tenant, body });
  tellActivations([activation], told);
  if (!told.globals.json) {
    (activation['notes'] as readonly string[]).forEach((note) => {
      told.output.line(`\n${note} (--before NAME).`);
    });
  }
}

/** The flow without a rule; its versions stay. */
export async function retireRule(
  name: string,
  { tenant, from, channel, why }: Explained & { readonly from: string; readonly channel?: string },
  told: Told,
): Promise<void> {
  const body = { from: instantOf(from), ...(channel === undefined ? {} : { channels: channel }), ...explained(why) };
  const path = `/v1/rules/${encodeURIComponent(name)}/retire`;
  tellActivations([await asked(told, { method: 'POST', path, tenant, body })], told);
}

export async function rollBackRules(
  { tenant, to, why }: Explained & { readonly to?: number },
  told: Told,
): Promise<void> {
  const body = { ...(to === undefined ? {} : { to }), ...explained(why) };
  const answer = await asked(told, { method: 'POST', path: '/v1/activations/rollback', tenant, body });
  tellActivations(answer['activations'] as Row[], told);
}

export async function listActivations({ tenant }: OfTenant, told: Told): Promise<void> {
  const { activations } = (await asked(told, { path: '/v1/activations', tenant })) as { activations: Row[] };
  tellActivations(activations, told);
}

/** A date alone is of UTC. */
function instantOf(text: string): string {
  return text.includes('T') ? text : `${text}T00:00:00Z`;
}

/** Who asks, and why, as the API takes it. */
function explained(why: string | undefined): object {
  return { ...author(), ...(why === undefined ? {} : { why }) };
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
      .map(({ rule, id, channels, parameters, share }) => {
        const set = Object.entries(parameters as Row).map(
          ([name, value]) => ` ${name}=${shortened(shownValue(value))}`,
        );
        return `${shownValue(rule)}@${shownValue(id).slice(0, 12)} on ${shownValue(channels)}${shareText(share)}${set.join('')}`;
      })
      .join(', ');
  const rows = activations.map((activation) => [
    shownValue(activation['number']),
    shownValue(activation['from'] ?? 'always'),
    shownValue(activation['to'] ?? ''),
    steps(activation) + policyText(activation['onFailure']),
  ]);
  output.line(globals.json ? JSON.stringify(activations) : table(['activation', 'from', 'to', 'flow'], rows));
}

/** A parameter may be a whole table. */
function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40).replaceAll(/\s+/g, ' ')}…` : text;
}

/** `, on failure: halt`; nothing where the rule is left out, as it is where nobody says otherwise. */
function policyText(onFailure: unknown): string {
  return onFailure === 'skip' ? '' : `, on failure: ${shownValue(onFailure)}`;
}

/** `, first 10 % of meters`; nothing where it is all of them. */
function shareText(share: unknown): string {
  if (share === undefined) {
    return '';
  }
  const { from, to } = share as Row;
  const percent = (part: unknown): string => String(Number((floatValue(part) * 100).toFixed(2)));
  return floatValue(from) === 0
    ? ` (first ${percent(to)} % of meters)`
    : ` (meters from ${percent(from)} to ${percent(to)} %)`;
}

async function asked({ globals }: Told, call: Omit<Call, 'role'>): Promise<Row> {
  const text = await withServer(globals, askingServices, ({ control }) => control.text({ ...call, role: 'customer' }));
  return parseExact(text) as Row;
}
