import { readFile, stat } from 'node:fs/promises';
import { CommandError } from '../cli-context.ts';

export interface TariffBody {
  readonly prices: readonly { readonly from: string; readonly price: string }[];
}

const tariffBytesMax = 64 * 1024;

/** One price of a kWh at all times. */
export function flatTariff(price: string): TariffBody {
  return { prices: [{ from: '00:00', price }] };
}

/** Prices by local time of day, of a file: CSV with the columns `from,price`, or JSON, a list of `{from, price}`. */
export async function readTariff(path: string): Promise<TariffBody> {
  const found = await stat(path).catch((error: unknown) => {
    throw new CommandError('file-missing', `there is no file ${path}`, { cause: error });
  });
  if (found.size > tariffBytesMax) {
    throw new CommandError('tariff-invalid', `${path} has ${found.size} bytes; ${tariffBytesMax} are the most`);
  }
  const text = await readFile(path, 'utf8');
  return { prices: text.trimStart().startsWith('[') ? pricesOfJson(path, text) : pricesOfCsv(path, text) };
}

function pricesOfJson(path: string, text: string): TariffBody['prices'] {
  try {
    const told = JSON.parse(text) as readonly { from?: unknown; price?: unknown }[];
    return told.map(({ from, price }) => ({ from: String(from), price: String(price) }));
  } catch (error) {
    throw new CommandError('tariff-invalid', `${path} is no tariff: ${(error as Error).message}; ${how}`, {
      cause: error,
    });
  }
}

function pricesOfCsv(path: string, text: string): TariffBody['prices'] {
  const [heading = '', ...lines] = text.trim().split(/\r?\n/);
  if (heading.replaceAll(' ', '') !== 'from,price') {
    throw new CommandError('tariff-invalid', `${path} is no tariff: its first line is not "from,price"; ${how}`);
  }
  return lines.map((line) => {
    const [from = '', price = ''] = line.split(',').map((cell) => cell.trim());
    return { from, price };
  });
}

const how =
  'a tariff is CSV with the columns from,price, like "06:00,0.32", or JSON: [{"from": "06:00", "price": "0.32"}]';
