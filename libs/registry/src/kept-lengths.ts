import { IntervalLengths, noIntervalLengths } from './interval-lengths.ts';
import { UnreadableEntryError } from './parse-entry.ts';
import { RevisionConflictError, type Registry } from './registry.ts';
import type { SeriesRegistry } from './series-registry.ts';

/**
 * Registered interval lengths under versions: what once was the newest is found again, whatever is registered now. A
 * source that began under them is so resumed under them. Costs one entry for each change that a source came in after.
 */
export class KeptLengths {
  readonly #registry: Registry;
  readonly #series: Pick<SeriesRegistry, 'lengths'>;
  readonly #kept = new WeakSet<IntervalLengths>();

  constructor(ports: { readonly registry: Registry; readonly series: Pick<SeriesRegistry, 'lengths'> }) {
    this.#registry = ports.registry;
    this.#series = ports.series;
  }

  /** As they are now, no older than a snapshot; kept durably under their version when this resolves. */
  async newest(tenant: string): Promise<IntervalLengths> {
    const lengths = await this.#series.lengths(tenant);
    if (lengths.version !== '' && !this.#kept.has(lengths)) {
      await this.#keep(tenant, lengths);
      this.#kept.add(lengths);
    }
    return lengths;
  }

  /** As they were under this version; undefined where they are gone. */
  async at(tenant: string, version: string): Promise<IntervalLengths | undefined> {
    if (version === '') {
      return noIntervalLengths;
    }
    const entry = await this.#registry.get('setting', lengthsEntry(tenant, version));
    try {
      return entry === undefined ? undefined : IntervalLengths.parse(entry.value);
    } catch (error) {
      throw new UnreadableEntryError(`the registry's interval lengths ${version} can't be read: ${String(error)}`, {
        cause: error,
      });
    }
  }

  async #keep(tenant: string, lengths: IntervalLengths): Promise<void> {
    try {
      const value = lengths.toJSON();
      await this.#registry.put('setting', lengthsEntry(tenant, lengths.version), { value, expectedRevision: 0 });
    } catch (error) {
      // It is there already, and the same: its name is its content.
      if (!(error instanceof RevisionConflictError)) {
        throw error;
      }
    }
  }
}

function lengthsEntry(tenant: string, version: string): string {
  return `${tenant}/interval-lengths/${version}`;
}
