import { join, relative, resolve } from 'node:path';
import type { Receipt } from '@meterflow/receipts';
import { dataDirDefault, type GlobalOptions, type Output } from '../cli-context.ts';
import { floatValue, parseExact, shownValue } from '../client/exact-json.ts';
import { LocalClient } from '../client/local-client.ts';
import { queryString, type Row } from '../client/pages.ts';
import { localSocket } from '../server/sockets.ts';
import type { EmbeddedServer } from '../server/start-server.ts';
import { barChart } from '../terminal/chart.ts';
import { bundledSample, bundledSampleFile } from '../rules/sample-readings.ts';
import { dev, type ListenOptions } from './dev.ts';
import { importFile } from './import.ts';

const shown = { meter: 'MAC000010', channel: 'import', from: '2013-03-25', to: '2013-04-08' };
const aggregatesPath = `/v1/aggregates${queryString({ ...shown, resolution: 'day' })}`;

/** The first run: a server, the sample through all stages, what became of it, and where to look. */
export async function start(options: ListenOptions, globals: GlobalOptions, output: Output): Promise<void> {
  if (!globals.json) {
    output.note('Starting …');
  }
  const server = await dev({ ...options, with: 'embedded' }, globals, { ...output, line: () => undefined });
  if (!globals.json) {
    process.once('SIGINT', () => {
      output.note('\nStopping: what is in work comes to its end. Ctrl-C once more ends it at once.');
    });
  }
  const { directory } = server;
  const clients = {
    directory,
    ingest: new LocalClient(localSocket(directory, 'ingest')),
    control: new LocalClient(localSocket(directory, 'control')),
  };
  if (!globals.json) {
    output.note(`\nImporting ${bundledSample}: real half-hourly readings of three London households …`);
  }
  const receipt = await importFile(clients, { file: bundledSampleFile(), tenant: 'default' }, output);
  if (globals.json) {
    output.line(JSON.stringify({ url: server.url, dataDir: globals.dataDir, pid: process.pid, receipt }));
    return;
  }
  const text = await clients.control.text({ path: aggregatesPath, tenant: 'default', role: 'operator' });
  const days = (parseExact(text) as { aggregates: Row[] }).aggregates;
  output.line(
    [told(receipt), `Meter ${shown.meter}, kWh a day:`, chart(days), whereToLook(server, globals)].join('\n\n'),
  );
}

/** What happened, also when the sample was there before. */
function told({ accepted, duplicates, aggregatesWritten, seconds, sourceId }: Receipt): string {
  const took = `in ${seconds.toFixed(1)} s (receipt ${sourceId})`;
  if (accepted > 0 && duplicates === accepted) {
    return (
      `The sample was here already: its ${accepted} readings came once more and changed nothing,\n` +
      `as whatever is delivered twice, ${took}.`
    );
  }
  return (
    `${accepted} readings arrived, passed the sandboxed rules, are stored as they came and as validated,\n` +
    `and made ${aggregatesWritten} hours, days and months, ${took}.`
  );
}

function chart(days: readonly Row[]): string {
  return barChart(
    days.map((day) => ({
      label: shownValue(day['start']).slice(0, 10),
      value: floatValue(day['sum']),
      // A picture: the exact sum has more digits than a person wants here.
      text: floatValue(day['sum']).toFixed(3),
    })),
  );
}

function whereToLook({ url = '' }: EmbeddedServer, { dataDir }: GlobalOptions): string {
  const key = shownPath(join(dataDir, 'operator.key'));
  const where = dataDir === resolve(dataDirDefault) ? '' : ` --data-dir ${shownPath(dataDir)}`;
  return [
    `API    ${url}/openapi.json says what there is; ready: ${url}/readyz`,
    `Key    ${key}, an operator's of tenant default`,
    `Try    curl -H "Authorization: Bearer $(cat ${key})" \\`,
    `         "${url}${aggregatesPath}"`,
    `       npx meterflow sql "select meter, sum(value) as kwh from readings group by all order by all"${where}`,
    'Stop   Ctrl-C; what is stored stays',
  ].join('\n');
}

/** As a person would type it here. */
function shownPath(path: string): string {
  const here = relative(process.cwd(), path);
  return here === '' || here.startsWith('..') ? path : here;
}
