import { deducesLengths, type Mapping } from '@meterflow/formats';
import { readingsPerBatchMax } from '@meterflow/readings';
import type { Delivery } from '@meterflow/receipts';
import { noIntervalLengths, type IntervalLengths } from '@meterflow/registry';
import { attempt, InterruptedError } from './attempt.ts';
import { mappingVersion } from './mapping-version.ts';
import { SourceDelivery } from './source-delivery.ts';
import type { SourceRequest, TakeInPorts, TakenIn } from './source-request.ts';

/** Thrown when a source is to be resumed under settings that were removed since. A new acceptance takes it anew. */
export class SettingsGoneError extends Error {
  override readonly name = 'SettingsGoneError';
}

/**
 * Takes one source in: when this resolves, every reading of it that was accepted is durable on the bus, and its rejects
 * and its closing are durable too. The order is the guarantee:
 * 1. the acceptance, which fixes all that the batches depend on, which of their series are refused, and where the others
 * stand before it; 2. batches, published and awaited; 3. rejects; 4. where the series stand then; 5. the closing. A process
 * that dies in between leaves an unfinished source, whose next delivery makes the same batches again; those that were
 * published before are absorbed by their keys.
 */
export async function takeIn(request: SourceRequest, ports: TakeInPorts): Promise<TakenIn> {
  const newest = usesLengths(request)
    ? await attempt(ports, () => ports.lengths.newest(request.tenant))
    : noIntervalLengths;
  const delivery = await accept(request, newest, ports);
  if (delivery.finished) {
    return takenInBefore(delivery, ports);
  }
  const mapping = await acceptedMapping(request, delivery, ports);
  const lengths = await acceptedLengths(newest, delivery, ports);
  const coming = new SourceDelivery({ ...request, mapping, lengths }, ports, delivery);
  await coming.fixUnknown();
  if (mapping.sequence !== undefined) {
    await coming.fixEnds();
  }
  if (mapping.onBadLine === 'reject-source') {
    const trial = await coming.pass('trial');
    if (trial.badLines > 0 || coming.refusal !== undefined) {
      return coming.rejectWhole(trial);
    }
  }
  return coming.close(await coming.pass('publish'));
}

/** Columns tell the length of each reading; a mapping may tell one for all. */
function usesLengths({ format, mapping }: SourceRequest): boolean {
  return format !== 'columns' && deducesLengths(mapping);
}

async function accept(request: SourceRequest, lengths: IntervalLengths, ports: TakeInPorts): Promise<Delivery> {
  const { tenant, kind, identity, delivery, contentHash, label, mapping, sourceVersion } = request;
  const activation = await attempt(ports, () => ports.newestActivation(tenant));
  const refusesUnknown = await attempt(ports, () => ports.refusesUnknown(tenant));
  const nowMs = ports.clock.nowMs();
  return attempt(ports, () =>
    ports.sources.accept({
      tenant,
      kind,
      identity,
      ...(delivery === undefined ? {} : { delivery }),
      contentHash,
      label,
      mapping: mappingVersion(mapping),
      sourceVersion,
      activation,
      nowMs,
      readingsPerBatch: readingsPerBatchMax,
      startsFromMs: nowMs - ports.keptMs,
      intervalLengths: lengths.version,
      refusesUnknown,
    }),
  );
}

/** The mapping that the acceptance fixed: another one would make other batches of the same source. */
async function acceptedMapping(request: SourceRequest, { acceptance }: Delivery, ports: TakeInPorts): Promise<Mapping> {
  if (acceptance.mapping === mappingVersion(request.mapping)) {
    return request.mapping;
  }
  const mapping = await ports.mappingAt(request.tenant, acceptance.mapping);
  if (mapping === undefined) {
    throw new SettingsGoneError(`this source was begun under the mapping ${acceptance.mapping}, which is gone`);
  }
  return mapping;
}

async function acceptedLengths(
  newest: IntervalLengths,
  { acceptance: { tenant, intervalLengths } }: Delivery,
  ports: TakeInPorts,
): Promise<IntervalLengths> {
  if (intervalLengths === newest.version) {
    return newest;
  }
  const lengths = await attempt(ports, () => ports.lengths.at(tenant, intervalLengths));
  if (lengths === undefined) {
    throw new SettingsGoneError(`this source was begun under interval lengths (${intervalLengths}) that are gone`);
  }
  return lengths;
}

async function takenInBefore({ sourceId, acceptance }: Delivery, { sources }: TakeInPorts): Promise<TakenIn> {
  const receipt = await sources.receipt(acceptance.tenant, sourceId);
  if (receipt === undefined) {
    throw new InterruptedError(`the receipt of ${sourceId} was removed meanwhile; send the source again`);
  }
  const { received, accepted, rejected, batches, rejects } = receipt;
  const refusal = rejects.find(({ line }) => line === 0);
  const counts = { received, accepted, rejected };
  return { sourceId, counts, batches, replayed: true, ...(refusal === undefined ? {} : { refusal }) };
}
