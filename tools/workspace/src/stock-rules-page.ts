import type { CompiledRule, CompiledTests } from '@meterflow/rule-compiler';
import type { RuleDeclaration } from '@meterflow/rules';

const head = `# Stock rules

Made of \`libs/rules/stock\` by \`npm run stock-rules\`: change it there.

Each of these rules is written as a customer writes one, on the SDK alone, and runs in the same sandbox. Activate one by its
name:

    meterflow rules list --stock
    meterflow rules activate plausible-power --from 2024-01-01 --parameters kwMax=30

The first activation keeps the rule among the tenant's own, with its sources (\`meterflow rules show NAME --json\`): what a flow
runs stays as it is when meterflow is upgraded, and activating the rule by name again takes the newer version. A rule of the
tenant's own with the same name comes first. To change one, copy its file from \`libs/rules/stock\` and give it another name.

A check notes its reason beside a reading and changes no value, unless \`action\` says \`reject\`: then the reading becomes an
absence with that reason, and the raw one stays a dead letter. The last reason that is noted counts. An estimate has the quality
\`estimated\` and names its method; only closed days are estimated. Rules that see one reading run in the stream; those that see
a day of a series (with the days around it that are told below) run on what is stored.

**Order matters.** A later rule sees what earlier ones did to a reading, or to the day that it is at. Other days and other channels it
sees as they came: so what looks at these (like days, checks against days before or against a register on another channel) stands
before what changes values or units, such as \`multiplier\` and \`convert-unit\`, which then change what was filled as well:

    meterflow rules activate fill-like-day --from 2024-01-01 --before multiplier
`;

/** The page of the stock rules, from what they declare, the comments that they begin with, and their first cases. */
export function stockRulesPage(rules: readonly CompiledRule[], tests: readonly CompiledTests[]): string {
  const rows = rules.map(({ version: { name }, files, file }) => {
    const [first = ''] = commentOf(files.get(file) ?? '');
    return `| [${name}](#${name}) | ${cell(firstSentence(first))} |`;
  });
  const sections = rules.map((rule) =>
    section(
      rule,
      tests.find((each) => each.rule === rule.version.name),
    ),
  );
  return [head, `| rule | does |\n| --- | --- |\n${rows.join('\n')}\n`, ...sections].join('\n');
}

function section({ version: { name }, declaration, files, file }: CompiledRule, tests?: CompiledTests): string {
  const parts = [`## ${name}`, ...commentOf(files.get(file) ?? ''), sees(declaration), parameters(declaration)];
  const shown =
    tests === undefined
      ? []
      : [`    ${activation(name, tests)}`, `Its cases: ${tests.cases.map((each) => each.name).join('; ')}.`];
  return `${[...parts, ...shown].join('\n\n')}\n`;
}

/** How it is activated with the parameters of the first case that sets any; a table comes from a file. */
function activation(name: string, { cases }: CompiledTests): string {
  const given = cases.find(({ parameters: set }) => Object.keys(set).length > 0)?.parameters ?? {};
  const set = Object.entries(given).map(
    ([key, value]) => `${key}=${String(value).includes('\n') ? '@table.csv' : value}`,
  );
  const parameterWords =
    set.length === 0 ? '' : ` --parameters ${/[ ]/.test(set.join()) ? `'${set.join()}'` : set.join()}`;
  return `meterflow rules activate ${name} --from 2024-01-01${parameterWords}`;
}

/** The paragraphs of the comment that a file begins with; `Source:` begins one. */
export function commentOf(source: string): string[] {
  const lines = source.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  const text = lines
    .slice(0, end)
    .map((line) => line.slice(2).trim())
    .join(' ');
  return text.split(/ (?=Source: )/);
}

export function firstSentence(text: string): string {
  return /^.*?[.:](?= [A-Z]|$)/.exec(text)?.[0] ?? text;
}

function sees({ series }: RuleDeclaration): string {
  if (series === undefined) {
    return 'Sees one reading at a time, in the stream.';
  }
  const { reads, emits, tags, lookBackDays, lookAheadDays } = series;
  const named = (what: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`${what} ${names.map((name) => `\`${name}\``).join(', ')}`];
  const days = (what: string, count: number): string[] =>
    count === 0 ? [] : [`${count === 1 ? 'the day' : `the ${count} days`} ${what}`];
  const around = [...days('before', lookBackDays), ...days('after', lookAheadDays)];
  const told = [
    ['a day of a series', ...around].join(', '),
    ...named('other channels:', reads),
    ...named('tags:', tags),
    ...named('makes readings on', emits),
  ];
  return `Sees ${told.join('; ')}.`;
}

function parameters({ parameters: declared }: RuleDeclaration): string {
  const rows = Object.entries(declared).map(([name, facts]) => {
    const { type, help = '' } = facts;
    const unit = facts.type === 'number' ? (facts.unit ?? '') : '';
    const range =
      facts.type === 'number'
        ? [facts.min ?? '', facts.max ?? ''].join(' … ').replace(/^ … $/, '')
        : facts.type === 'string'
          ? (facts.choices ?? []).map((choice) => (choice === '' ? 'empty' : choice)).join(', ')
          : '';
    return `| ${[name, type, shownDefault(facts.default), unit, range, help].map(cell).join(' | ')} |`;
  });
  return rows.length === 0
    ? 'No parameters.'
    : `| parameter | type | default | unit | range or choices | |\n| --- | --- | --- | --- | --- | --- |\n${rows.join('\n')}`;
}

function shownDefault(value: number | string | boolean | undefined): string {
  if (value === undefined) {
    return 'must be given';
  }
  return value === '' ? 'empty' : Math.abs(Number(value)) === Number.MAX_VALUE ? 'none' : String(value);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*');
}
