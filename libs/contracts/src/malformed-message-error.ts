import { PermanentError } from '@meterflow/stage';

/** What is wrong with a message. Stable: operators filter dead letters by it. */
export type MalformedMessageCode =
  | 'message-too-large'
  | 'message-truncated'
  | 'message-format'
  | 'message-wire-type'
  | 'message-repeated-field'
  | 'message-utf8'
  | 'message-limit'
  | 'message-mismatch'
  | 'message-value';

/** Thrown when bytes are not a message that can be understood. `path` names the field: `columns.spans.count[3]`. */
export class MalformedMessageError extends PermanentError {
  override readonly name = 'MalformedMessageError';
  override readonly code: MalformedMessageCode;
  readonly path: string;

  constructor(code: MalformedMessageCode, path: string, problem: string) {
    super(code, path === '' ? problem : `${path}: ${problem}`);
    this.code = code;
    this.path = path;
  }
}
