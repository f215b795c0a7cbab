import { setTimeout as sleep } from 'node:timers/promises';
import { today, type Build, type Fleet, type FleetService } from './fleet.ts';
import { endOf, type LoadEnd } from './load-end.ts';
import { SteadyLoad } from './steady-load.ts';
import { storedFormats } from './stored-formats.ts';

export interface RollBuildsOptions {
  /** All that run. */
  readonly services: readonly FleetService[];
  /** Those of which the next build takes over and gives back. */
  readonly rolled: readonly FleetService[];
  readonly next: Build;
  /** Of the cells that the next build writes. */
  readonly nextFormat: number;
  readonly pushesPerSecond: number;
  /** How many pushes are answered in each state: both builds, the next alone, both, today's alone. */
  readonly pushesEach: number;
}

const lookEveryMs = 500;

/** Rolls services to the next build and back under load, both builds on every subscription for a while each time. */
export async function rollBuilds(fleet: Fleet, options: RollBuildsOptions): Promise<LoadEnd> {
  const { services, rolled, next, nextFormat, pushesEach } = options;
  const start = (build: Build): Promise<unknown> => Promise.all(rolled.map((service) => fleet.start(service, build)));
  const drain = (build: Build): Promise<unknown> =>
    Promise.all(rolled.map((service) => drainOf(fleet, service, build)));
  await Promise.all(services.map((service) => fleet.start(service)));
  const load = new SteadyLoad(fleet.push, { pushesPerSecond: options.pushesPerSecond, metersPerPush: 20 });
  await start(next);
  await load.answered(pushesEach);
  await drain(today);
  await load.answered(pushesEach);
  // Answered is not stored: a slow machine would be rolled back before the next build has done anything.
  while (!(await storedFormats(fleet)).has(nextFormat)) {
    await sleep(lookEveryMs);
  }
  await start(today);
  await load.answered(pushesEach);
  await drain(next);
  await load.answered(pushesEach);
  return endOf(fleet, await load.stop());
}

function drainOf(fleet: Fleet, service: FleetService, build: Build): Promise<unknown> {
  return Promise.all(
    fleet
      .of(service)
      .filter((each) => each.build === build)
      .map((each) => each.drain()),
  );
}
