import type { Command } from 'commander';
import type { Told } from '../cli-context.ts';
import { setSeries, showSeries, type SeriesOptions, type SettingsOptions } from '../commands/series-settings.ts';
import { instant, interval, names, setting } from './arguments.ts';

/** What must be known of series beside their readings. */
export function addSeries(program: Command, told: () => Told): void {
  const series = program.command('series').description('time zone, interval and unit of a series');
  settings(ofSeries(series.command('set').description('what holds for one series; its days are aggregated anew')))
    .option('--since <instant>', 'readings are expected from then on: rules may fill what never comes', instant)
    .addHelpText(
      'after',
      '\nWhat is not given stays; `default` takes a setting back.\n\nExample:\n' +
        '  meterflow series set --meter M1 --channel import --time-zone Europe/Zurich --interval 15m',
    )
    .action(async ({ tenant, meter, channel, ...change }: SeriesOptions & SettingsOptions) => {
      await setSeries({ tenant, meter, channel }, change, told());
    });
  ofSeries(series.command('show').description('what holds for one series'))
    .addHelpText('after', '\nExample:\n  meterflow series show --meter M1')
    .action(async (options: SeriesOptions) => {
      await showSeries(options, told());
    });
}

/** The settings themselves, as tenants and series have them. */
export function settings(command: Command): Command {
  return command
    .option('--time-zone <zone>', 'whose days and months are aggregated, like Europe/Zurich; UTC unless set', setting)
    .option('--interval <length>', 'the one length of intervals that is summed, like 15m', interval)
    .option('--unit <unit>', 'like kWh', setting)
    .option('--not-billable <codes>', 'quality codes of the source whose readings must not be billed; or none', names)
    .option('--calendars <names>', 'by which it is aggregated as well, like gas-day,tariff; or none', names);
}

function ofSeries(command: Command): Command {
  return command
    .option('--tenant <tenant>', 'whose series it is', 'default')
    .requiredOption('--meter <meter>', 'the meter')
    .option('--channel <channel>', 'which quantity of the meter', 'import');
}
