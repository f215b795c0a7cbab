import { calendarOf, dayMs, type Calendar } from '@meterflow/aggregates';
import {
  ExactSum,
  formatDecimal,
  isUnit,
  missingCode,
  parseDecimal,
  ReadingCursor,
  unitExponent,
  type Decimal,
  type ReadingColumns,
} from '@meterflow/readings';

/** Prices of a kWh by local time of day: each holds from its minute until the next one's, the last until the first. */
export interface Tariff {
  readonly prices: readonly { readonly fromMinute: number; readonly price: string }[];
}

interface PricedEnergy {
  readonly fromMinute: number;
  readonly price: Decimal;
  /** By unit, so that nothing is converted before the end. */
  readonly energy: Map<string, ExactSum>;
}

/** What energy costs at a tariff, exactly: it is added up by price and unit, and multiplied once. */
export class Bill {
  readonly #priced: readonly PricedEnergy[];

  constructor({ prices }: Tariff) {
    this.#priced = [...prices]
      .sort((a, b) => a.fromMinute - b.fromMinute)
      .map(({ fromMinute, price }) => ({ fromMinute, price: parseDecimal(price), energy: new Map() }));
  }

  /** Adds what is an amount of energy; an interval has the price of its start. */
  add(columns: ReadingColumns, timeZone: string): void {
    const calendar = calendarOf(timeZone);
    const cursor = new ReadingCursor(columns);
    while (cursor.next()) {
      if (cursor.lengthMs > 0 && cursor.qualityCode !== missingCode && exponentOf(cursor.unit) !== undefined) {
        const sum = this.#sumAt(minuteOf(cursor.startMs, calendar), cursor.unit);
        sum.add(cursor.integer, columns.decimals);
      }
    }
  }

  /** Money, with no more digits than it needs; undefined where no energy came. */
  get total(): string | undefined {
    const parts = this.#priced.flatMap(({ price, energy }) =>
      [...energy].map(([unit, sum]) => {
        const exponent = exponentOf(unit) ?? 0;
        const integer = sum.integer * BigInt(price.integer) * 10n ** BigInt(Math.max(0, exponent));
        return { integer, decimals: sum.decimals + price.decimals + Math.max(0, -exponent) };
      }),
    );
    const decimals = Math.max(0, ...parts.map((part) => part.decimals));
    const total = parts.reduce((sum, part) => sum + part.integer * 10n ** BigInt(decimals - part.decimals), 0n);
    return parts.length === 0 ? undefined : formatDecimal(total, decimals);
  }

  #sumAt(minute: number, unit: string): ExactSum {
    const { energy } = (this.#priced.findLast(({ fromMinute }) => fromMinute <= minute) ??
      this.#priced.at(-1)) as PricedEnergy;
    let sum = energy.get(unit);
    if (sum === undefined) {
      sum = new ExactSum();
      energy.set(unit, sum);
    }
    return sum;
  }
}

/** The power of ten that takes a value to kWh; undefined for what is no energy. */
function exponentOf(unit: string): number | undefined {
  return isUnit(unit) ? unitExponent(unit, 'kWh') : undefined;
}

const minuteMs = 60_000;

/** Minutes since local midnight, as a clock on the wall shows them. */
function minuteOf(instantMs: number, calendar: Calendar): number {
  const day = calendar.dayOf(instantMs);
  const startMs = calendar.dayStartMs(day);
  if (calendar.dayStartMs(day + 1) - startMs === dayMs) {
    return Math.floor((instantMs - startMs) / minuteMs);
  }
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: calendar.timeZone, hour: '2-digit', minute: '2-digit' });
  const [hours = 0, minutes = 0] = clock.format(instantMs).split(':').map(Number);
  return hours * 60 + minutes;
}
