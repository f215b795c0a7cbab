import { parseOptions, print, wholeNumber } from '@meterflow/command-line';
import { deployment, livePush, measured, prices } from './assumptions.ts';
import { dataflowBill, meterflowBill, sharedBill, total, type BillLine } from './bill.ts';

const usage = `npm run cost -- [--readings-per-day N] [--json]

The monthly bill at list prices, with its formulas: meterflow's services, for readings that come as files and for live
push, beside the job of the files on a managed dataflow service.
The assumptions (prices, measurements, sizes) are tools/cost/src/assumptions.ts.`;

const { values } = parseOptions(usage, {
  options: {
    'readings-per-day': { type: 'string', default: String(deployment.readingsPerDay) },
    json: { type: 'boolean', default: false },
  },
});

const readingsPerDay = wholeNumber('readings-per-day', values['readings-per-day']);
const inputs = { prices, measured, deployment: { ...deployment, readingsPerDay } };
const bills = {
  'meterflow, files': meterflowBill(inputs),
  'meterflow, live push': meterflowBill({ ...inputs, measured: livePush }),
  dataflow: dataflowBill(inputs),
  stores: sharedBill(inputs),
};
print(values.json ? JSON.stringify({ readingsPerDay, ...bills }) : markdown(bills));

function markdown(bills: Readonly<Record<string, readonly BillLine[]>>): string {
  return Object.entries(bills)
    .map(([name, lines]) =>
      [
        `| ${name} | formula | $ a month |`,
        '| --- | --- | ---: |',
        ...lines.map(({ what, formula, dollars }) => `| ${what} | ${formula} | ${Math.round(dollars)} |`),
        `| **together** | | **${Math.round(total(lines))}** |`,
      ].join('\n'),
    )
    .join('\n\n');
}
