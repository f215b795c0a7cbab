import { createHash } from 'node:crypto';
import { encodeStoredNotice, messageAttributes, topicName, type Lane } from '@meterflow/contracts';
import type { Activations, OpenReprocess, Reprocess, Reprocesses, Tenants } from '@meterflow/registry';
import type { Clock, OutgoingMessage, Publisher } from '@meterflow/stage';
import { compareSeries, toldDays, touchedOf, type StoredRaw, type ToldDays } from './told-days.ts';

export interface ReprocessPorts {
  readonly reprocesses: Reprocesses;
  readonly activations: Pick<Activations, 'readNewest' | 'get'>;
  readonly tenants: Pick<Tenants, 'list'>;
  readonly stored: StoredRaw;
  readonly publisher: Publisher;
  readonly lane: Lane;
  /** Notices that the stage has not handled yet; undefined where nobody can tell. */
  readonly waiting: () => Promise<number | undefined>;
  readonly clock: Clock;
  /** Unique for each run of a process. */
  readonly owner: string;
  readonly activationLeaseMs: number;
  /** Told of what went wrong; it goes on at the next look. */
  readonly onProblem: (error: unknown) => void;
}

/** How often it is looked for work. */
const reprocessPollMs = 1_000;
/** Whoever drives one and is not heard of for so long has died: another goes on. */
export const reprocessLeaseMs = 15_000;
/** No more notices wait for the stage than this: what comes live stands behind none of them for long. */
const noticesWaitingMax = 16;
const lookAgainMs = 200;
const automatic = 'meterflow';

/**
 * Has stored readings computed anew: tells rule-execution, notice by notice, of raw days as if they had just been
 * stored under no activation. Every activation starts one of its span, `activationLeaseMs` after it was made, when
 * nothing is stamped with an older one any more. How far each is stands in the registry, so that another process goes on
 * where one was killed; two at once tell the same twice, which harms nothing: a notice has the key of what it tells.
 */
export class ReprocessDriver {
  readonly #ports: ReprocessPorts;

  constructor(ports: ReprocessPorts) {
    this.#ports = ports;
  }

  /** Looks again and again until the signal aborts. Never rejects. */
  async drive(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look(signal).catch((error: unknown) => {
        if (!signal.aborted) {
          this.#ports.onProblem(error);
        }
      });
      await this.#ports.clock.sleep(reprocessPollMs, signal);
    }
  }

  /** Looks once: asks for what activations need, and goes on with what is asked for as far as it gets. */
  async look(signal: AbortSignal): Promise<void> {
    for (const { name } of await this.#ports.tenants.list()) {
      await this.#askForActivations(name);
    }
    for (const open of await this.#ports.reprocesses.open()) {
      signal.throwIfAborted();
      await this.#goOn(open, signal);
    }
  }

  /** One reprocess of all that was changed by activations since the last one that was asked for. */
  async #askForActivations(tenant: string): Promise<void> {
    const { reprocesses, activations, activationLeaseMs } = this.#ports;
    const [mark, newest] = [await reprocesses.mark(tenant), await activations.readNewest(tenant)];
    if (newest.number <= mark) {
      return;
    }
    const span = { fromMs: Infinity, toMs: -Infinity };
    for (let number = mark + 1; number <= newest.number; number++) {
      const activation = await activations.get(tenant, number);
      span.fromMs = Math.min(span.fromMs, activation?.fromMs ?? Infinity);
      span.toMs = Math.max(span.toMs, activation?.toMs ?? -Infinity);
    }
    await reprocesses.add(tenant, {
      ...span,
      id: `activation-${newest.number}`,
      who: automatic,
      why: `activation ${mark + 1 === newest.number ? '' : `${mark + 1} to `}${newest.number}`,
      notBeforeMs: newest.createdAtMs + activationLeaseMs,
    });
    await reprocesses.raiseMark(tenant, newest.number);
  }

  async #goOn(open: OpenReprocess, signal: AbortSignal): Promise<void> {
    const { reprocesses } = this.#ports;
    const { state } = open.reprocess;
    if (state === 'cancelled' || state === 'done') {
      await reprocesses.end(open);
    } else if (state === 'working') {
      await this.#endWhenHandled(open);
    } else {
      const claimed = await this.#claim(open);
      if (claimed !== undefined) {
        await this.#tell(claimed, signal);
      }
    }
  }

  async #endWhenHandled(open: OpenReprocess): Promise<void> {
    if (((await this.#ports.waiting()) ?? 0) === 0) {
      const done = await this.#ports.reprocesses.advance(open, { ...open.reprocess, state: 'done' });
      if (done !== undefined) {
        await this.#ports.reprocesses.end(done);
      }
    }
  }

  /** Undefined where it is not its time yet, or another drives it. */
  async #claim(open: OpenReprocess): Promise<OpenReprocess | undefined> {
    const { reprocesses, stored, owner, clock } = this.#ports;
    const { reprocess } = open;
    const nowMs = clock.nowMs();
    if (nowMs < reprocess.notBeforeMs || (reprocess.owner !== owner && nowMs < reprocess.leaseUntilMs)) {
      return undefined;
    }
    const mine = { ...reprocess, owner, leaseUntilMs: nowMs + reprocessLeaseMs, state: 'telling' as const };
    if (reprocess.startedAtMs !== undefined) {
      return reprocesses.advance(open, mine);
    }
    let seriesTotal = 0;
    for await (const series of stored.series(reprocess.tenant)) {
      seriesTotal += reprocess.series === undefined || compareSeries(reprocess.series, series) === 0 ? 1 : 0;
    }
    return reprocesses.advance(open, { ...mine, startedAtMs: nowMs, seriesTotal });
  }

  async #tell(claimed: OpenReprocess, signal: AbortSignal): Promise<void> {
    const { reprocesses, stored, publisher, clock } = this.#ports;
    let open = claimed;
    const { tenant, fromMs, toMs, cursor, series } = open.reprocess;
    const request = { tenant, fromMs, toMs, after: cursor, ...(series === undefined ? {} : { only: series }) };
    for await (const told of toldDays(stored, request)) {
      const kept = await this.#untilFewWait(open, signal);
      if (kept === undefined) {
        return;
      }
      open = kept;
      // 1. told, durably; 2. noted. Killed in between, the same is told again, under the same key.
      if (told.spans.length > 0) {
        await publisher.publish([this.#notice(open.reprocess, told)]);
      }
      const { reprocess } = open;
      const next = await reprocesses.advance(open, {
        ...reprocess,
        cursor: told.to,
        seriesDone: reprocess.seriesDone + told.seriesDone,
        days: reprocess.days + told.days,
        notices: reprocess.notices + (told.spans.length > 0 ? 1 : 0),
        leaseUntilMs: clock.nowMs() + reprocessLeaseMs,
      });
      if (next === undefined) {
        // Cancelled, or another's by now.
        return;
      }
      open = next;
    }
    await reprocesses.advance(open, { ...open.reprocess, state: 'working' });
  }

  /** Waits while the stage has enough to do, and keeps the lease; undefined where it was lost or cancelled. */
  async #untilFewWait(open: OpenReprocess, signal: AbortSignal): Promise<OpenReprocess | undefined> {
    const { reprocesses, waiting, clock } = this.#ports;
    let kept = open;
    while (((await waiting()) ?? 0) >= noticesWaitingMax) {
      await clock.sleep(lookAgainMs, signal);
      signal.throwIfAborted();
      const nowMs = clock.nowMs();
      if (kept.reprocess.leaseUntilMs - nowMs < reprocessLeaseMs / 2) {
        const next = await reprocesses.advance(kept, { ...kept.reprocess, leaseUntilMs: nowMs + reprocessLeaseMs });
        if (next === undefined) {
          return undefined;
        }
        kept = next;
      }
    }
    return kept;
  }

  #notice(reprocess: Reprocess, { spans }: ToldDays): OutgoingMessage {
    const { tenant, id } = reprocess;
    const touched = touchedOf(spans, reprocess);
    const [first] = spans;
    const place = [tenant, id, first?.series.meter, first?.series.channel, first?.fromDay];
    const key = createHash('sha256').update(JSON.stringify(place)).digest('hex').slice(0, 32);
    // Stamped with no activation: whatever counts is newer.
    const header = { tenant, layer: 'raw', activation: 0, key, causes: [] } as const;
    return {
      topic: topicName('readings.stored.raw', this.#ports.lane),
      payload: encodeStoredNotice({ ...header, touched }),
      attributes: messageAttributes('StoredNotice', tenant),
    };
  }
}
