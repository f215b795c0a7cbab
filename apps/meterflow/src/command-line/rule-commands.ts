import { Option, type Command } from 'commander';
import type { Surroundings, Told } from '../cli-context.ts';
import { showAudit, type AuditOptions } from '../commands/audit.ts';
import { backtestRule, type BacktestOptions } from '../commands/backtest.ts';
import { initRules, testRules } from '../commands/rule-files.ts';
import { reprocess, type ReprocessOptions } from '../commands/reprocess.ts';
import { devRules, type DevRulesOptions } from '../commands/rules-dev.ts';
import {
  activateRule,
  listActivations,
  listRules,
  retireRule,
  rollBackRules,
  showRule,
  uploadRules,
  type ActivateOptions,
} from '../commands/rules.ts';
import { instant, share, wholeNumber } from './arguments.ts';

/** A customer's rules: written in a folder, uploaded as versions, activated from a reading time on. */
export function addRuleCommands(program: Command, surroundings: Surroundings): void {
  const told = (): Told => ({ globals: surroundings.globals(), output: surroundings.output });
  const rules = program.command('rules').description('customers’ own code on readings');
  addFileCommands(rules, told);
  addDevCommand(rules, told);
  addVersionCommands(rules, told);
  addBacktestCommand(rules, told);
  addActivationCommands(rules, told);
  addCareCommands(rules, told);
}

function addFileCommands(rules: Command, told: () => Told): void {
  rules
    .command('init')
    .description('an example rule with its test and the SDK’s types, in an empty folder')
    .argument('[folder]', 'where', '.')
    .addHelpText('after', '\nExample:\n  meterflow rules init my-rules')
    .action(async (folder: string) => {
      await initRules(folder, told());
    });
  rules
    .command('test')
    .description('check the rules of a folder and run their tests in the sandbox; needs no server')
    .argument('[path]', 'a folder, or one rule’s file', '.')
    .addHelpText('after', '\nExample:\n  meterflow rules test my-rules')
    .action(async (path: string) => {
      await testRules(path, told());
    });
}

function addDevCommand(rules: Command, told: () => Told): void {
  rules
    .command('dev')
    .description('check, test and try the rules of a folder in the sandbox whenever a file is saved; needs no server')
    .argument('[path]', 'a folder, or one rule’s file', '.')
    .option(
      '--readings <file>',
      'what to try them on: CSV with meter_id,channel,start,value,unit; a bundled sample if not given',
    )
    .option('--parameters <values>', 'limit=10,quiet=true or JSON; the defaults for what is not given')
    .option('--once', 'look once, and exit 0 only when all of it is well')
    .addHelpText('after', '\nEnds with Ctrl-C.\n\nExample:\n  meterflow rules dev my-rules')
    .action(async (path: string, options: DevRulesOptions) => {
      await devRules(path, options, told());
    });
}

/** `--why`, which stands in the audit trail. */
function explained(command: Command): Command {
  return command.option('--why <text>', 'stands in the audit trail');
}

function addCareCommands(rules: Command, told: () => Told): void {
  explained(
    ofTenant(
      rules.command('reprocess').description('compute a span anew from stored raw readings, under what counts now'),
    ),
  )
    .option('--from <instant>', 'first, like 2024-03-04T00:00:00Z, or a date of UTC', instant)
    .option('--to <instant>', 'first that is not in it any more', instant)
    .option('--no-wait', 'end when it is asked for; it goes on by itself')
    .option('--cancel <id>', 'end one early: the rest stays as it is')
    .addHelpText(
      'after',
      `
Each activation starts one of its own. With neither a span nor --cancel: lists them.

Example:
  meterflow rules reprocess --from 2024-01-01 --to 2024-02-01 --why "a meter was mapped wrong"`,
    )
    .action(async (options: ReprocessOptions) => {
      await reprocess(options, told());
    });
  ofTenant(rules.command('audit').description('who did what, when and why, newest first'))
    .option('--limit <count>', 'lines at most', wholeNumber)
    .option('--after <position>', 'the next page')
    .addHelpText('after', '\nExample:\n  meterflow rules audit')
    .action(async (options: AuditOptions) => {
      await showAudit(options, told());
    });
}

function ofTenant(command: Command): Command {
  return command.option('--tenant <tenant>', 'whose rules', 'default');
}

function addVersionCommands(rules: Command, told: () => Told): void {
  explained(ofTenant(rules.command('upload').description('keep each rule of a folder as an immutable version')))
    .argument('[path]', 'a folder, or one rule’s file', '.')
    .addHelpText(
      'after',
      '\nChecked and tested first; nothing is activated.\n\nExample:\n  meterflow rules upload my-rules',
    )
    .action(async (path: string, options: { tenant: string; why?: string }) => {
      await uploadRules(path, options, told());
    });
  ofTenant(rules.command('list').description('the newest version of each'))
    .option('--stock', 'the rules that come with meterflow instead: each can be activated by its name')
    .addHelpText('after', '\nExample:\n  meterflow rules list --stock')
    .action(async (options: { tenant: string; stock?: boolean }) => {
      await listRules(options, told());
    });
  ofTenant(rules.command('show').description('one version: parameters, versions, what it changed'))
    .argument('<rule>', 'NAME, or NAME@VERSION')
    .addHelpText('after', '\nExample:\n  meterflow rules show high-use@1')
    .action(async (rule: string, options: { tenant: string }) => {
      await showRule(rule, options, told());
    });
}

function addBacktestCommand(rules: Command, told: () => Told): void {
  ofTenant(rules.command('backtest').description('what a rule would change of stored readings; changes nothing'))
    .argument('<rule>', 'NAME, or NAME@VERSION')
    .requiredOption('--from <instant>', 'first, like 2024-03-04T00:00:00Z, or a date of UTC', instant)
    .requiredOption('--to <instant>', 'first that is not in it any more', instant)
    .option('--channel <pattern>', 'a channel, or a glob like import*; those that the rule is made for when not given')
    .option('--parameters <values>', 'limit=10,quiet=true or JSON; the defaults for what is not given')
    .addOption(onFailureOption())
    .option('--before <rule>', 'a rule of the flow that it is to stand before')
    .option('--share <share>', 'of the meters, like 10%: those that an activation for this share takes', share)
    .option('--meters <count>', 'so many meters', wholeNumber)
    .option('--price <price>', 'of a kWh, like 0.32: what it would cost before and after')
    .option('--tariff <file>', 'prices by local time of day: CSV with from,price, or JSON')
    .option('--chart <file>', 'an SVG of daily sums, before and after')
    .option('--readings-max <count>', 'no meter is begun after so many readings', wholeNumber)
    .option('--seconds-max <count>', 'nor after so long', wholeNumber)
    .addHelpText(
      'after',
      `
The flow as it is, and with this rule in it, over raw readings as they are stored; meters are always the same sample.

Example:
  meterflow rules backtest high-use --from 2024-01-01 --to 2024-02-01 --parameters limitKwh=2,cut=true --chart high-use.svg`,
    )
    .action(async (rule: string, options: BacktestOptions) => {
      await backtestRule(rule, options, told());
    });
}

function onFailureOption(): Option {
  return new Option('--on-failure <policy>', 'what becomes of a batch on which a rule of the flow fails').choices([
    ...['retry', 'skip', 'reject', 'halt'],
  ]);
}

function addActivationCommands(rules: Command, told: () => Told): void {
  explained(
    ofTenant(rules.command('activate').description('put a rule into the flow, for readings from an instant on')),
  )
    .argument('<rule>', 'NAME, or NAME@VERSION')
    .requiredOption('--from <instant>', 'like 2024-03-04T00:00:00Z, or a date of UTC', instant)
    .option('--channel <pattern>', 'a channel, or a glob like import*; those that the rule is made for when not given')
    .option('--parameters <values>', 'limit=10,quiet=true,table=@file.csv or JSON; the defaults for what is not given')
    .option('--before <rule>', 'a rule of the flow that it is to stand before')
    .option('--share <share>', 'of the meters first, like 10%; always the same ones, and kept as it grows', share)
    .addOption(onFailureOption())
    .addHelpText(
      'after',
      `
The rule takes the place of its own version on the same channels, or comes last, unless --before says where. Readings from
that instant on are computed anew under it, those that are stored too.

Example:
  meterflow rules activate high-use --from 2024-01-01 --parameters limitKwh=2,cut=true`,
    )
    .action(async (rule: string, options: ActivateOptions) => {
      await activateRule(rule, options, told());
    });
  explained(
    ofTenant(rules.command('retire').description('take a rule out of the flow, for readings from an instant on')),
  )
    .argument('<name>', 'of the rule')
    .requiredOption('--from <instant>', 'like 2024-03-04T00:00:00Z, or a date of UTC', instant)
    .option('--channel <pattern>', 'where it was activated for these; wherever it is when not given')
    .addHelpText('after', '\nIts versions stay.\n\nExample:\n  meterflow rules retire high-use --from 2024-01-01')
    .action(async (name: string, options: { tenant: string; from: string; channel?: string; why?: string }) => {
      await retireRule(name, options, told());
    });
  ofTenant(rules.command('activations').description('which flow counts from when on, newest first'))
    .addHelpText('after', '\nExample:\n  meterflow rules activations')
    .action(async (options: { tenant: string }) => {
      await listActivations(options, told());
    });
  explained(
    ofTenant(rules.command('rollback').description('make what counted before the newest activation count again')),
  )
    .option('--to <activation>', 'what counted under this one; 0 for before the first', wholeNumber)
    .addHelpText('after', '\nExample:\n  meterflow rules rollback')
    .action(async (options: { tenant: string; to?: number; why?: string }) => {
      await rollBackRules(options, told());
    });
}
