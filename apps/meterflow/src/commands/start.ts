import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GlobalOptions, Output } from '../cli-context.ts';
import { floatValue, parseExact, shownValue } from '../client/exact-json.ts';
import { LocalClient } from '../client/local-client.ts';
import { queryString, type Row } from '../client/pages.ts';
import { localSocket } from '../server/sockets.ts';
import { barChart } from '../terminal/chart.ts';
import { dev, type DevOptions } from './dev.ts';
import { importFiles } from './import.ts';

/** Real readings of London households; licence and credit stand beside them. */
const sample = 'samples/london-households.csv';
const shown = { meter: 'MAC000010', channel: 'import', from: '2013-03-25', to: '2013-04-08' };

/** The first run: a server, the sample through all stages, what became of it, and where to look. */
export async function start(options: DevOptions, globals: GlobalOptions, output: Output): Promise<void> {
  const server = await dev(options, globals, output);
  const file = sampleFile();
  output.note(`\nImporting ${sample}: real half-hourly readings of three London households …`);
  await importFiles({ files: [file], tenant: 'default' }, globals, output);
  const control = new LocalClient(localSocket(server.directory, 'control'));
  const path = `/v1/aggregates${queryString({ ...shown, resolution: 'day' })}`;
  const text = await control.text({ path, tenant: 'default', role: 'operator' });
  const days = (parseExact(text) as { aggregates: Row[] }).aggregates;
  output.line(`\nMeter ${shown.meter}, kWh a day:\n`);
  output.line(
    barChart(
      days.map((day) => ({ label: shownValue(day['start']).slice(0, 10), value: floatValue(day['sum']) })),
      'kWh',
    ),
  );
  const url = server.url ?? '';
  output.line(
    [
      '',
      `API          ${url}  (what there is: ${url}/openapi.json)`,
      `Key          ${join(globals.dataDir, 'operator.key')}`,
      `Try          curl -H "Authorization: Bearer $(cat ${join(globals.dataDir, 'operator.key')})" "${url}${path}"`,
      `             npx meterflow sql "select meter, sum(value) from readings group by meter" --data-dir ${globals.dataDir}`,
      'Ctrl-C drains and stops it.',
    ].join('\n'),
  );
}

function sampleFile(): string {
  const candidates = ['../../../../', '../../../'].map((up) => fileURLToPath(new URL(up + sample, import.meta.url)));
  return candidates.find((path) => existsSync(path)) ?? (candidates[0] as string);
}
