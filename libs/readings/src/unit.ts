/**
 * Units of energy, power, volume and the like that readings come in, as ESPI's UomType and NEM12's UOM list them.
 * A unit is `base` times ten to the power of `exponent`: conversion within one base is exact.
 */
const units = {
  Wh: { base: 'Wh', exponent: 0 },
  kWh: { base: 'Wh', exponent: 3 },
  MWh: { base: 'Wh', exponent: 6 },
  GWh: { base: 'Wh', exponent: 9 },
  varh: { base: 'varh', exponent: 0 },
  kvarh: { base: 'varh', exponent: 3 },
  Mvarh: { base: 'varh', exponent: 6 },
  VAh: { base: 'VAh', exponent: 0 },
  kVAh: { base: 'VAh', exponent: 3 },
  W: { base: 'W', exponent: 0 },
  kW: { base: 'W', exponent: 3 },
  MW: { base: 'W', exponent: 6 },
  var: { base: 'var', exponent: 0 },
  kvar: { base: 'var', exponent: 3 },
  V: { base: 'V', exponent: 0 },
  A: { base: 'A', exponent: 0 },
  m3: { base: 'm3', exponent: 0 },
  l: { base: 'm3', exponent: -3 },
  J: { base: 'J', exponent: 0 },
  MJ: { base: 'J', exponent: 6 },
  GJ: { base: 'J', exponent: 9 },
  '1': { base: '1', exponent: 0 },
} as const;

export type Unit = keyof typeof units;
export const unitNames = Object.keys(units) as readonly Unit[];

export function isUnit(text: string): text is Unit {
  return Object.hasOwn(units, text);
}

/** The power of ten that takes a value in `from` to a value in `to`; undefined when they do not measure the same. */
export function unitExponent(from: Unit, to: Unit): number | undefined {
  return units[from].base === units[to].base ? units[from].exponent - units[to].exponent : undefined;
}
