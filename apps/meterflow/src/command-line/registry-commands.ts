import type { Command } from 'commander';
import type { Told } from '../cli-context.ts';
import {
  exportRegistry,
  importRegistryFile,
  listGroupMembers,
  listGroups,
  putGroup,
  removeGroup,
  showGroup,
  type ImportOptions,
} from '../commands/registry.ts';
import { listCalendars, putCalendar, removeCalendar, showCalendar } from '../commands/calendars.ts';
import { showSeries, type SeriesOptions } from '../commands/series-settings.ts';

interface OfTenant {
  readonly tenant: string;
}

/** The registry of series as a whole, and groups of them. */
export function addRegistry(program: Command, told: () => Told): void {
  const registry = program.command('registry').description('what is to be known of series, in files');
  ofTenant(
    registry
      .command('import <file>')
      .description('takes series from CSV or NDJSON (by its ending); again changes nothing'),
  )
    .option('--all-or-nothing', 'apply nothing where any line is bad')
    .addHelpText(
      'after',
      '\nColumns: meter, channel, time_zone, interval, unit, decimals, since, group, valid_from, valid_to; others are tags.\n\n' +
        'Example:\n  meterflow registry import meters.csv',
    )
    .action(async (file: string, options: ImportOptions) => {
      await importRegistryFile(file, options, told());
    });
  ofTenant(registry.command('export').description('every registered series, as lines that an import takes'))
    .addHelpText('after', '\nExample:\n  meterflow registry export > meters.ndjson')
    .action(async (options: OfTenant) => {
      await exportRegistry(options, told());
    });
  ofTenant(registry.command('show').description('what holds for one series'))
    .requiredOption('--meter <meter>', 'the meter')
    .option('--channel <channel>', 'which quantity of the meter', 'import')
    .addHelpText('after', '\nExample:\n  meterflow registry show --meter M1')
    .action(async (options: SeriesOptions) => {
      await showSeries(options, told());
    });
  addGroups(program, told);
  addCalendars(program, told);
}

function addGroups(program: Command, told: () => Told): void {
  const groups = program.command('groups').description('series that are aggregated together');
  ofTenant(groups.command('list').description('all groups, a line each'))
    .addHelpText('after', '\nExample:\n  meterflow groups list')
    .action(async (options: OfTenant) => {
      await listGroups(options, told());
    });
  ofTenant(groups.command('show <name>').description('one group'))
    .addHelpText('after', '\nExample:\n  meterflow groups show area-804')
    .action(async (name: string, options: OfTenant) => {
      await showGroup(name, options, told());
    });
  ofTenant(groups.command('put <name> <file>').description('makes a group of what a JSON file says'))
    .addHelpText(
      'after',
      '\nA file:\n  {"timeZone": "Europe/Copenhagen", "intervalMs": 3600000,\n' +
        '   "source": {"kind": "filter", "filter": "grid_area = 804 and supplier = \'X\'"}}\n\n' +
        'Example:\n  meterflow groups put area-804 area-804.json',
    )
    .action(async (name: string, file: string, options: OfTenant) => {
      await putGroup({ name, file }, options, told());
    });
  ofTenant(groups.command('remove <name>').description('removes a group that no other counts'))
    .addHelpText('after', '\nExample:\n  meterflow groups remove area-804')
    .action(async (name: string, options: OfTenant) => {
      await removeGroup(name, options, told());
    });
  ofTenant(groups.command('members <name>').description('what counts in it directly, and when'))
    .addHelpText('after', '\nExample:\n  meterflow groups members area-804')
    .action(async (name: string, options: OfTenant) => {
      await listGroupMembers(name, options, told());
    });
}

function addCalendars(program: Command, told: () => Told): void {
  const calendars = program.command('calendars').description('gas days and tariff registers');
  ofTenant(calendars.command('list').description('all calendars, a line each'))
    .addHelpText('after', '\nExample:\n  meterflow calendars list')
    .action(async (options: OfTenant) => {
      await listCalendars(options, told());
    });
  ofTenant(calendars.command('show <name>').description('one calendar'))
    .addHelpText('after', '\nExample:\n  meterflow calendars show tariff')
    .action(async (name: string, options: OfTenant) => {
      await showCalendar(name, options, told());
    });
  ofTenant(calendars.command('put <name> [file]').description('makes a calendar of what a JSON file says'))
    .option('--day-starts-at <time>', 'instead of a file: its days begin then, by the clock')
    .addHelpText(
      'after',
      '\nA file:\n  {"holidays": ["2024-12-25"], "periods": [{"from": "2024-01-01",\n' +
        '   "weekday": {"00:00": "off-peak", "08:00": "peak", "20:00": "off-peak"}, "weekend": {"00:00": "off-peak"}}]}\n\n' +
        'Examples:\n  meterflow calendars put tariff tariff.json\n  meterflow calendars put gas-day --day-starts-at 06:00',
    )
    .action(async (name: string, file: string | undefined, options: OfTenant & { readonly dayStartsAt?: string }) => {
      await putCalendar({ name, file, dayStartsAt: options.dayStartsAt }, options, told());
    });
  ofTenant(calendars.command('remove <name>').description('removes a calendar; what was computed by it is withdrawn'))
    .addHelpText('after', '\nExample:\n  meterflow calendars remove tariff')
    .action(async (name: string, options: OfTenant) => {
      await removeCalendar(name, options, told());
    });
}

function ofTenant(command: Command): Command {
  return command.option('--tenant <tenant>', 'whose it is', 'default');
}
