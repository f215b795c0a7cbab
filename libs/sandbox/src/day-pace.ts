/** What days that run together may take: more would keep other tenants waiting, and come near what one batch may take. */
export const togetherCpuMs = 10;
/** No day counts as less, whatever a child says of it: runs that cost nothing would keep the turn for ever. */
const dayCpuMsMin = 0.001;
/** Flows whose cost is remembered; the one unused for longest is forgotten, and begins with one day again. */
const flowsKeptMax = 4_096;

/** How many days of a flow are run in one call: by what a day of it took last. */
export class DayPace {
  readonly #cpuMsPerDay = new Map<string, number>();

  daysTogether(flowKey: string): number {
    const cpuMs = this.#cpuMsPerDay.get(flowKey);
    return cpuMs === undefined ? 1 : Math.max(1, Math.floor(togetherCpuMs / cpuMs));
  }

  /** What so many days of a flow will take; undefined where none was run. */
  cpuMsOf(flowKey: string, days: number): number | undefined {
    const cpuMs = this.#cpuMsPerDay.get(flowKey);
    return cpuMs === undefined ? undefined : cpuMs * days;
  }

  took(flowKey: string, days: number, cpuMs: number): void {
    this.#cpuMsPerDay.delete(flowKey);
    this.#cpuMsPerDay.set(flowKey, Math.max(cpuMs / days, dayCpuMsMin));
    const [oldest] = this.#cpuMsPerDay.keys();
    if (this.#cpuMsPerDay.size > flowsKeptMax && oldest !== undefined) {
      this.#cpuMsPerDay.delete(oldest);
    }
  }
}
