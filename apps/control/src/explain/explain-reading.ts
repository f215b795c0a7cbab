import { type Origin, type ReadingHistory, type ReadingStore, type Segment } from '@meterflow/idempotent-writes';
import { utcText, type Layer, type ReadingColumns, type SeriesName } from '@meterflow/readings';
import type { Sources } from '@meterflow/receipts';
import type { Activations } from '@meterflow/registry';
import { takesSeries, type Activation, type FlowStep } from '@meterflow/rules';
import { TraceBusyError, type FlowTrace } from './flow-trace.ts';
import { broughtBy, type OriginLine } from './bringers.ts';
import {
  compareVersion,
  historyAt,
  readingsAt,
  type FoundReading,
  type ReadingPlace,
  type ShownReading,
} from './readings-at.ts';

/** Where a version came from. */
export interface ExplainedOrigin {
  readonly source: string;
  /** The file's name, or who edited and why; empty for a request. */
  readonly label: string;
  readonly line: number;
  readonly acceptedAt: string;
}

/** One version of a reading. */
export interface ExplainedVersion extends ShownReading {
  readonly layer: Layer;
  /** The one that counts; the others were superseded by it, or came too late. */
  readonly current: boolean;
  /** As the provider declared it. */
  readonly declared?: number;
  readonly acceptedAt?: string;
  /** Of a raw version: who brought it. More than one where it came again unchanged. */
  readonly origins?: readonly ExplainedOrigin[];
  /** Of a validated version: under which activation it was made, and by which rules. */
  readonly activation?: ExplainedActivation;
}

export interface ExplainedActivation {
  readonly number: number;
  readonly flow: string;
  readonly author?: string;
  readonly why?: string;
  /** False where the flow failed and its policy decided. */
  readonly computed: boolean;
  /** The rules that its series goes through, in order; of a reading made on another channel those that make it. */
  readonly rules: readonly ExplainedRule[];
}

export interface ExplainedRule {
  readonly name: string;
  readonly version: string;
  readonly parameters: FlowStep['parameters'];
  /**
   * What the reading is after it: of what counts and was computed, where rules changed it. Null where there is none yet.
   */
  readonly gave?: ShownReading | null;
}

export interface ExplainedReading {
  readonly meter: string;
  readonly channel: string;
  readonly start: string;
  readonly end: string;
  /** What the rules made of it; undefined where no validated one is stored. */
  readonly validated: ExplainedVersion | undefined;
  readonly raw: ExplainedVersion | undefined;
  /** True where the rules changed value, unit or quality, or made a reading where none came. */
  readonly changedByRules: boolean;
  /** All that is known, newest first. */
  readonly versions: readonly ExplainedVersion[];
}

export interface ExplainPorts {
  readings(layer: Layer): Pick<ReadingStore, 'read'>;
  history(layer: Layer): ReadingHistory;
  readonly sources: Pick<Sources, 'receipt'>;
  readonly activations: Pick<Activations, 'get'>;
  readonly trace: Pick<FlowTrace, 'afterEach'>;
}

/** Every version of the reading at a place, and where each came from. Undefined where nothing is stored. */
export async function explainReading(ports: ExplainPorts, place: ReadingPlace): Promise<ExplainedReading | undefined> {
  const raw = await versionsOf(ports, place, 'raw');
  const validated = await versionsOf(ports, place, 'validated');
  if (raw.shown.length + validated.shown.length === 0) {
    return undefined;
  }
  const brought = await broughtBy(ports.history('raw'), place, raw.stored);
  const rawShown = await Promise.all(
    raw.shown.map((found, index) => explainedRaw(ports, place, { found, index, brought })),
  );
  const validatedShown = await Promise.all(
    validated.shown.map(async ({ version, shown }, index): Promise<ExplainedVersion> => {
      const changes = index === 0 && !sameReading(shown, rawShown.at(0));
      const activation = await activationOf(ports, place, { version, shown, changes });
      return {
        layer: 'validated',
        current: index === 0,
        ...shown,
        ...(activation === undefined ? {} : { activation }),
      };
    }),
  );
  const latest = validatedShown.at(0);
  const came = rawShown.at(0);
  return {
    meter: place.meter,
    channel: place.channel,
    start: utcText(place.startMs),
    end: utcText(place.startMs + place.lengthMs),
    validated: latest,
    raw: came,
    changedByRules: latest !== undefined && !sameReading(latest, came),
    versions: [...validatedShown, ...rawShown],
  };
}

function sameReading(latest: ShownReading, came: ShownReading | undefined): boolean {
  return latest.value === came?.value && latest.unit === came.unit && latest.quality === came.quality;
}

function dayAround({ startMs }: ReadingPlace): { readonly fromMs: number; readonly toMs: number } {
  return { fromMs: startMs, toMs: startMs + 1 };
}

/** All that is known of a reading in a layer. */
interface FoundVersions {
  /** Newest first: the one that counts, then what it superseded. */
  readonly shown: readonly FoundReading[];
  /** In the order of storing. */
  readonly stored: readonly FoundReading[];
}

async function versionsOf(ports: ExplainPorts, place: ReadingPlace, layer: Layer): Promise<FoundVersions> {
  const days = { ...place, layer, ...dayAround(place) };
  const latest = readingsAt(columnsOf(await ports.readings(layer).read(days)), place);
  const earlier = historyAt(await ports.history(layer).history(days), place);
  const shown = [...latest, ...earlier.toSorted((a, b) => compareVersion(b.version, a.version))];
  return { shown, stored: [...earlier, ...latest] };
}

function columnsOf(segments: readonly Segment[]): ReadingColumns[] {
  return segments.map(({ columns }) => columns);
}

async function explainedRaw(
  ports: ExplainPorts,
  place: ReadingPlace,
  raw: {
    readonly found: FoundReading;
    readonly index: number;
    readonly brought: ReadonlyMap<FoundReading, readonly OriginLine[]> | undefined;
  },
): Promise<ExplainedVersion> {
  const { version, shown } = raw.found;
  const { declared, acceptedAtMs } = version;
  const bringing = raw.brought?.get(raw.found) ?? [];
  return {
    layer: 'raw',
    current: raw.index === 0,
    ...shown,
    ...(declared === 0 ? {} : { declared }),
    ...(acceptedAtMs === 0 ? {} : { acceptedAt: utcText(acceptedAtMs) }),
    ...(raw.brought === undefined
      ? {}
      : { origins: await Promise.all(bringing.map((one) => explainedOrigin(ports, place.tenant, one))) }),
  };
}

async function explainedOrigin(
  { sources }: ExplainPorts,
  tenant: string,
  { origin, line }: { readonly origin: Origin; readonly line: number },
): Promise<ExplainedOrigin> {
  const receipt = await sources.receipt(tenant, origin.sourceId);
  return { source: origin.sourceId, label: receipt?.label ?? '', line, acceptedAt: utcText(origin.acceptedAtMs) };
}

async function activationOf(
  ports: ExplainPorts,
  place: ReadingPlace,
  made: FoundReading & { readonly changes: boolean },
): Promise<ExplainedActivation | undefined> {
  const { activation: number, computed } = made.version;
  const activation = await ports.activations.get(place.tenant, number);
  if (activation === undefined) {
    return undefined;
  }
  const { flow, author, why } = activation;
  const { steps, emits } = stepsFor(activation, place);
  const gave = computed && made.changes && !emits ? await gaveOf(ports, place, { made, activation, steps }) : undefined;
  return {
    number,
    flow: flow.name,
    ...(author === undefined ? {} : { author }),
    ...(why === undefined ? {} : { why }),
    computed,
    rules: steps.map(({ rule, parameters }, index) => ({
      ...{ name: rule.name, version: rule.id, parameters },
      ...(gave === undefined ? {} : { gave: gave[index] ?? null }),
    })),
  };
}

/**
 * Undefined where it can't be told: too many ask at once, or what is stored around it changed since, and what comes of that is
 * still on its way.
 */
async function gaveOf(
  { trace }: ExplainPorts,
  place: ReadingPlace,
  of: { readonly made: FoundReading; readonly activation: Activation; readonly steps: readonly FlowStep[] },
): Promise<readonly (ShownReading | undefined)[] | undefined> {
  if (of.steps.length === 1) {
    // It alone gave what there is.
    return [of.made.shown];
  }
  try {
    const gave = await trace.afterEach(place, of.activation);
    const last = gave.at(-1);
    return last !== undefined && sameReading(last, of.made.shown) ? gave : undefined;
  } catch (error) {
    if (error instanceof TraceBusyError) {
      return undefined;
    }
    throw error;
  }
}

/** The steps that the series goes through; where rules make its readings from other channels, those. */
function stepsFor(
  { flow }: Activation,
  series: SeriesName,
): { readonly steps: readonly FlowStep[]; readonly emits: boolean } {
  const making = flow.steps.filter(({ rule }) => rule.series?.emits.includes(series.channel) === true);
  return making.length > 0
    ? { steps: making, emits: true }
    : { steps: flow.steps.filter((step) => takesSeries(step, series)), emits: false };
}
