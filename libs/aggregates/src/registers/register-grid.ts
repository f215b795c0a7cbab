import { DayGrid } from '../day-grid.ts';
import type { RegisteredIntervals } from '../registered-intervals.ts';
import { noRegister, type RegisterDays, type RegisterPiece } from './register-days.ts';

/** Days laid out in slots: one for each register, and a last one for what none of them takes. */
export class RegisterGrid extends DayGrid {
  readonly slotsPerDay: number;
  readonly #days: RegisterDays;

  constructor(
    days: RegisterDays,
    span: { readonly firstDay: number; readonly endDay: number },
    intervals: RegisteredIntervals,
  ) {
    super(days.calendar, span, intervals);
    this.#days = days;
    this.slotsPerDay = days.plan.registers.length + 1;
  }

  /** Sets `day` and `slot` for an instant; what `hourStartMs` and `hourEndMs` bound is within one register. */
  override find(instantMs: number): void {
    super.find(instantMs);
    const pieces = this.#days.pieces(this.firstDay + this.day);
    const { fromMs, toMs, register } = pieces.findLast((piece) => piece.fromMs <= instantMs) as RegisterPiece;
    this.hourStartMs = Math.max(this.hourStartMs, fromMs);
    this.hourEndMs = Math.min(this.hourEndMs, toMs);
    this.slot = this.day * this.slotsPerDay + (register === noRegister ? this.slotsPerDay - 1 : register);
  }
}
