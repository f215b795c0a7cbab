import { Option, type Command } from 'commander';
import type { Surroundings, Told } from '../cli-context.ts';
import { initRules, testRules } from '../commands/rule-files.ts';
import {
  activateRule,
  listActivations,
  listRules,
  rollBackRules,
  showRule,
  uploadRules,
  type ActivateOptions,
} from '../commands/rules.ts';
import { instant, wholeNumber } from './arguments.ts';

/** A customer's rules: written in a folder, uploaded as versions, activated from a reading time on. */
export function addRuleCommands(program: Command, surroundings: Surroundings): void {
  const told = (): Told => ({ globals: surroundings.globals(), output: surroundings.output });
  const rules = program.command('rules').description('customers’ own code on readings');
  addFileCommands(rules, told);
  addVersionCommands(rules, told);
  addActivationCommands(rules, told);
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

function ofTenant(command: Command): Command {
  return command.option('--tenant <tenant>', 'whose rules', 'default');
}

function addVersionCommands(rules: Command, told: () => Told): void {
  ofTenant(rules.command('upload').description('keep each rule of a folder as an immutable version'))
    .argument('[path]', 'a folder, or one rule’s file', '.')
    .addHelpText(
      'after',
      '\nChecked and tested first; nothing is activated.\n\nExample:\n  meterflow rules upload my-rules',
    )
    .action(async (path: string, options: { tenant: string }) => {
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

function addActivationCommands(rules: Command, told: () => Told): void {
  ofTenant(rules.command('activate').description('put a rule into the flow, for readings from an instant on'))
    .argument('<rule>', 'NAME, or NAME@VERSION')
    .requiredOption('--from <instant>', 'like 2024-03-04T00:00:00Z, or a date of UTC', instant)
    .option('--channel <pattern>', 'a channel, or a glob like import*; those that the rule is made for when not given')
    .option('--parameters <values>', 'limit=10,quiet=true,table=@file.csv or JSON; the defaults for what is not given')
    .addOption(
      new Option('--on-failure <policy>', 'what becomes of a batch on which a rule of the flow fails').choices([
        ...['retry', 'skip', 'reject', 'halt'],
      ]),
    )
    .addHelpText(
      'after',
      `
The rule takes the place of its own version on the same channels, or comes last. It holds for what arrives from now on.

Example:
  meterflow rules activate high-use --from 2024-01-01 --parameters limitKwh=2,cut=true`,
    )
    .action(async (rule: string, options: ActivateOptions) => {
      await activateRule(rule, options, told());
    });
  ofTenant(rules.command('activations').description('which flow counts from when on, newest first'))
    .addHelpText('after', '\nExample:\n  meterflow rules activations')
    .action(async (options: { tenant: string }) => {
      await listActivations(options, told());
    });
  ofTenant(rules.command('rollback').description('make what counted before the newest activation count again'))
    .option('--to <activation>', 'what counted under this one; 0 for before the first', wholeNumber)
    .addHelpText('after', '\nExample:\n  meterflow rules rollback')
    .action(async (options: { tenant: string; to?: number }) => {
      await rollBackRules(options, told());
    });
}
