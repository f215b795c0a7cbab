import type { GlobalOptions, Output } from '../cli-context.ts';
import { parseExact, shownValue } from '../client/exact-json.ts';
import { queryString, type Row } from '../client/pages.ts';
import { askServer } from '../client/with-server.ts';
import { table } from '../terminal/table.ts';

export interface ExplainOptions {
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
  readonly at: string;
  readonly resolution: string;
  readonly after?: string;
}

/** Says why a reading, or an aggregate, is what it is. */
export async function explain(options: ExplainOptions, globals: GlobalOptions, output: Output): Promise<void> {
  const { tenant, meter, channel, at, resolution, after } = options;
  const path = `/v1/explain${queryString({ meter, channel, at, resolution, after })}`;
  const told = await askServer(globals, async ({ control }) =>
    parseExact(await control.text({ path, tenant, role: 'operator' })),
  );
  if (globals.json) {
    output.line(JSON.stringify(told));
    return;
  }
  output.line(resolution === 'reading' ? readingText(told as Row) : aggregateText(told as Row, options));
}

function readingText(told: Row): string {
  const versions = rows(told, 'versions');
  const shown = versions.map((version) => [
    `${shownValue(version['layer'])}${version['current'] === true ? '' : ' (earlier)'}`,
    shownValue(version['value']) === '' ? '–' : `${shownValue(version['value'])} ${shownValue(version['unit'])}`,
    shownValue(version['quality']),
    [version['method'], version['reason']].map(shownValue).filter(Boolean).join(': '),
    cameFrom(version),
  ]);
  const changed = told['changedByRules'] === true ? 'The rules changed it.' : 'The rules left it as it came.';
  return [
    `Meter ${shownValue(told['meter'])}, channel ${shownValue(told['channel'])}, ${span(told)}. ${changed}`,
    '',
    table(['layer', 'value', 'quality', 'method: reason', 'where from'], shown),
  ].join('\n');
}

function cameFrom(version: Row): string {
  const origins = rows(version, 'origins').map(
    (origin) =>
      `${shownValue(origin['label']) || 'request'} line ${shownValue(origin['line'])} (source ${shownValue(origin['source'])})`,
  );
  const activation = version['activation'] as Row | undefined;
  if (activation === undefined) {
    return origins.join(', ');
  }
  const rules = rows(activation, 'rules').map(
    (rule) => `${shownValue(rule['name'])} ${shownValue(rule['version']).slice(0, 12)}${gave(rule)}`,
  );
  const failed = activation['computed'] === false ? '; the flow failed, its policy decided' : '';
  return `activation ${shownValue(activation['number'])}: ${rules.join(', ') || 'no rule'}${failed}`;
}

/** What the reading is after a rule, where that was traced. */
function gave(rule: Row): string {
  const after = rule['gave'] as Row | null | undefined;
  if (after === undefined) {
    return '';
  }
  const value = shownValue(after?.['value']);
  return value === '' ? ' → –' : ` → ${value} ${shownValue(after?.['unit'])}`;
}

function aggregateText(told: Row, { meter, channel, resolution }: ExplainOptions): string {
  const missing = (told['missing'] as readonly string[]).slice();
  const changed = rows(told, 'changed');
  const sources = rows(told, 'sources');
  const parts = [`Meter ${meter}, channel ${channel}, ${resolution} of ${span(told)}: ${summed(told['aggregate'])}`];
  if (missing.length > 0) {
    parts.push('', `Missing: ${missing.slice(0, shownMax).join(', ')}${more(missing)}`);
  }
  if (changed.length > 0) {
    parts.push('', table(changedHead, changed.slice(0, shownMax).map(changedShown)) + more(changed));
  }
  if (sources.length > 0) {
    const lines = sources
      .slice(0, shownMax)
      .map((each) => [
        shownValue(each['label']) || 'request',
        shownValue(each['source']),
        shownValue(each['acceptedAt']),
        shownValue(each['readings']),
        `${shownValue(each['firstLine'])}–${shownValue(each['lastLine'])}`,
      ]);
    parts.push('', table(['brought by', 'source', 'accepted', 'readings', 'lines'], lines) + more(sources));
  }
  const members = rows(told, 'parts');
  if (members.length > 0) {
    parts.push(
      '',
      table(['counts in it', 'channel', 'times', 'sum', 'count', 'quality', 'only'], membersShown(members)),
    );
    parts.push(more(members));
  }
  if (told['next'] !== undefined) {
    parts.push('', `There may be more: explain … --after '${shownValue(told['next'])}'`);
  }
  return parts.join('\n').trimEnd();
}

function summed(aggregate: unknown): string {
  if (aggregate === null) {
    return 'nothing counts in it, all that came was withdrawn.';
  }
  const shown = (name: string): string => shownValue((aggregate as Row)[name]);
  return `${shown('sum')} ${shown('unit')}\nfrom ${shown('count')} of ${shown('expected') || shown('count')} readings, ${shown('quality')}.`;
}

const changedHead = ['start', 'value', 'came as', 'was', 'quality', 'method', 'reason', 'version'];

function changedShown(each: Row): string[] {
  const shown = ['start', 'value', 'raw', 'was', 'quality', 'method', 'reason'].map((name) => shownValue(each[name]));
  return [...shown, shownValue(each['declared']) || shownValue(each['acceptedAt'])];
}

function membersShown(members: readonly Row[]): string[][] {
  return members.slice(0, shownMax).map((member) => {
    const own = (member['aggregate'] ?? {}) as Row;
    const validity = [member['from'], member['to']].map((instant) => shownValue(instant));
    return [
      ...['meter', 'channel', 'factor'].map((name) => shownValue(member[name])),
      ...[`${shownValue(own['sum'])} ${shownValue(own['unit'])}`.trim() || '–', shownValue(own['count'])],
      ...[shownValue(own['quality']), validity.every((each) => each === '') ? '' : validity.join(' to ')],
    ];
  });
}

/** Rows of each list that a person is shown; --json has all. */
const shownMax = 20;

function more(list: readonly unknown[]): string {
  return list.length > shownMax ? `\n… and ${list.length - shownMax} more (--json has them)` : '';
}

function span(told: Row): string {
  const [start, end] = [shownValue(told['start']), shownValue(told['end'])];
  return start === end ? start : `${start} to ${end}`;
}

function rows(told: Row, name: string): readonly Row[] {
  return (told[name] ?? []) as readonly Row[];
}
