import { Option, type Command } from 'commander';
import type { Surroundings, Told } from '../cli-context.ts';
import { checkMapping, listMappings, putMapping, removeMapping, showMapping } from '../commands/mappings.ts';
import { setTenant, type SettingsOptions } from '../commands/series-settings.ts';
import {
  createKey,
  createTenant,
  listKeys,
  listTenants,
  revokeKey,
  rotateKey,
  setUnknownSeries,
} from '../commands/tenants-and-keys.ts';
import { addRegistry } from './registry-commands.ts';
import { addSeries, settings } from './series-commands.ts';

/** Who may bring and see readings, and how files are read. */
export function addAccessCommands(program: Command, surroundings: Surroundings): void {
  const told = (): Told => ({ globals: surroundings.globals(), output: surroundings.output });
  addTenants(program, told);
  addSeries(program, told);
  addRegistry(program, told);
  addKeys(program, told);
  addMappings(program, told);
}

function addTenants(program: Command, told: () => Told): void {
  const tenants = program.command('tenants').description('who owns readings');
  tenants
    .command('list')
    .description('by name')
    .addHelpText('after', '\nExample:\n  meterflow tenants list')
    .action(async () => {
      await listTenants(told());
    });
  settings(tenants.command('create').description('a new tenant').argument('<name>', 'a-z, 0-9 and inner dashes'))
    .addHelpText('after', '\nExample:\n  meterflow tenants create acme --time-zone Europe/Zurich')
    .action(async (name: string, options: SettingsOptions) => {
      await createTenant(name, options, told());
    });
  settings(tenants.command('set').description('what holds for its series; their days are aggregated anew'))
    .argument('<name>', 'as the list has it')
    .addOption(
      new Option(
        '--unknown-series <what>',
        'readings of series that are not registered: taken (create) or refused',
      ).choices(['create', 'refuse']),
    )
    .addHelpText(
      'after',
      '\nWhat is not given stays; `default` takes a setting back. Series that were set themselves keep what they have.\n' +
        '\nExample:\n  meterflow tenants set acme --time-zone Europe/Zurich --interval 15m',
    )
    .action(async (name: string, { unknownSeries, ...options }: SettingsOptions & { unknownSeries?: string }) => {
      const isAll = Object.keys(options).length === 0;
      if (unknownSeries !== undefined) {
        await setUnknownSeries(name, { policy: unknownSeries, isShown: isAll }, told());
      }
      if (unknownSeries === undefined || !isAll) {
        await setTenant(name, options, told());
      }
    });
}

function addKeys(program: Command, told: () => Told): void {
  const keys = program.command('keys').description('API keys of a tenant');
  const ofTenant = (command: Command): Command => command.option('--tenant <tenant>', 'whose key it is', 'default');
  ofTenant(keys.command('list').description('without their secrets'))
    .addHelpText('after', '\nExample:\n  meterflow keys list --tenant acme')
    .action(async (options: { tenant: string }) => {
      await listKeys(options, told());
    });
  ofTenant(keys.command('create').description('a new key, shown this once'))
    .addOption(
      new Option('--role <role>', 'provider: sends readings; customer: reads them; operator: runs the pipeline')
        .choices(['provider', 'customer', 'operator'])
        .makeOptionMandatory(),
    )
    .option('--label <label>', 'what it is for', '')
    .addHelpText('after', '\nExample:\n  meterflow keys create --tenant acme --role provider --label "north gateway"')
    .action(async (options: { tenant: string; role: string; label: string }) => {
      await createKey(options, told());
    });
  ofTenant(keys.command('rotate').description('a new secret; the old one stays valid for a day'))
    .argument('<id>', 'as the list has it')
    .addHelpText('after', '\nExample:\n  meterflow keys rotate 4f0c9a1be27d33aa --tenant acme')
    .action(async (id: string, options: { tenant: string }) => {
      await rotateKey(id, options, told());
    });
  ofTenant(keys.command('revoke').description('end it at once'))
    .argument('<id>', 'as the list has it')
    .addHelpText('after', '\nExample:\n  meterflow keys revoke 4f0c9a1be27d33aa --tenant acme')
    .action(async (id: string, options: { tenant: string }) => {
      await revokeKey(id, options, told());
    });
}

function addMappings(program: Command, told: () => Told): void {
  const mappings = program.command('mappings').description('how the columns of files are read');
  const ofTenant = (command: Command): Command => command.option('--tenant <tenant>', 'whose mapping it is', 'default');
  ofTenant(mappings.command('list').description('the tenant’s own, and those built in'))
    .addHelpText('after', '\nExample:\n  meterflow mappings list')
    .action(async (options: { tenant: string }) => {
      await listMappings(options, told());
    });
  ofTenant(mappings.command('show').description('one, with its defaults filled in').argument('<name>'))
    .addHelpText('after', '\nExample:\n  meterflow mappings show london > mine.json')
    .action(async (name: string, options: { tenant: string }) => {
      await showMapping(name, options, told());
    });
  ofTenant(mappings.command('check').description('say what is wrong with a file').argument('<file>', 'YAML or JSON'))
    .addHelpText('after', '\nExample:\n  meterflow mappings check mine.yaml')
    .action(async (file: string, options: { tenant: string }) => {
      await checkMapping(file, options, told());
    });
  ofTenant(mappings.command('put').description('make or change one').argument('<file>', 'YAML or JSON'))
    .option('--name <name>', 'what it is called; the file’s name without its ending when not given')
    .addHelpText('after', '\nExample:\n  meterflow mappings put mine.yaml --tenant acme')
    .action(async (file: string, options: { tenant: string; name?: string }) => {
      await putMapping(file, options, told());
    });
  ofTenant(mappings.command('remove').description('remove one with all its versions').argument('<name>'))
    .addHelpText('after', '\nExample:\n  meterflow mappings remove mine --tenant acme')
    .action(async (name: string, options: { tenant: string }) => {
      await removeMapping(name, options, told());
    });
}
