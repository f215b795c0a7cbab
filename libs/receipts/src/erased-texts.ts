import { rejectTextCharsMax, type Reject } from './receipt.ts';

/** Whose sources to blank: a tenant's, or what in them names a meter. */
export interface SourceErasure {
  readonly tenant: string;
  readonly meter?: string;
  /** Of sources accepted up to this instant. */
  readonly upToMs: number;
}

export interface ErasedTexts {
  /** Names of files. */
  readonly labels: number;
  /** Rejected lines, and remarks on others. Their numbers and codes stay, so that receipts add up. */
  readonly rejects: number;
}

/** Receipts from which what is personal can be erased for good. */
export interface ErasableSources {
  /**
   * Blanks file names, rejected lines and remarks, in receipts that are kept too; the same stay blank when they come once
   * more. Ended in between, it is to be called again.
   */
  erase(erasure: SourceErasure): Promise<ErasedTexts>;
  /** What is there of it now. */
  found(erasure: SourceErasure): Promise<ErasedTexts>;
}

const erasedReason = 'erased';

/** True when a file's name tells of the meter; of a tenant as a whole ('') each does. */
export function labelTellsOf(label: string, meter: string): boolean {
  return label !== '' && label.includes(meter);
}

/**
 * True when a line may tell of the meter: it names it, or was cut and may have named it further on. A reject keeps a line
 * as it came, so that it holds readings of a household. Of one that is blanked already: false.
 */
export function lineTellsOf({ text, reason }: Pick<Reject, 'text' | 'reason'>, meter: string): boolean {
  const isBlank = reason === erasedReason && text === '';
  return (
    !isBlank &&
    (meter === '' || text.includes(meter) || reason.includes(meter) || text.length >= rejectTextCharsMax - 1)
  );
}

export function blanked(reject: Reject): Reject {
  return { ...reject, text: '', reason: erasedReason };
}
