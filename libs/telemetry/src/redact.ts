/** Fields that are secret by their name, wherever they stand. */
const secretNames = new Set(['authorization', 'cookie', 'password', 'secret', 'token', 'apikey', 'credential']);
/** API keys are known by their look, wherever they turn up: in a message, a URL, an error. The id may stay. */
const apiKey = /mf_([0-9a-f]{4,32})_[A-Za-z0-9_-]{8,}/g;
const redacted = '[redacted]';

const depthMax = 6;
const membersMax = 100;
const textCharsMax = 8_000;

/** What may be written of a text. */
export function redactText(text: string): string {
  const cut = text.length > textCharsMax ? `${text.slice(0, textCharsMax)}…` : text;
  return cut.replace(apiKey, `mf_$1_${redacted}`);
}

/** What may be written of a log field: without secrets, errors spelt out, bounded in depth and size. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    return redactText(value);
  }
  if (typeof value === 'object' && value !== null) {
    return redactObject(value, depth);
  }
  return typeof value === 'bigint' ? value.toString() : value;
}

function redactObject(value: object, depth: number): unknown {
  if (depth >= depthMax) {
    return '[deeper]';
  }
  if (value instanceof Error) {
    return redactError(value, depth);
  }
  if (ArrayBuffer.isView(value)) {
    return `[${value.byteLength} bytes]`;
  }
  if (Array.isArray(value)) {
    return value.slice(0, membersMax).map((member: unknown) => redact(member, depth + 1));
  }
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  }
  const members = Object.entries(value).slice(0, membersMax);
  return Object.fromEntries(
    members.map(([name, member]) => [
      name,
      secretNames.has(name.toLowerCase().replaceAll(/[-_]/g, '')) ? redacted : redact(member, depth + 1),
    ]),
  );
}

function redactError(error: Error, depth: number): object {
  return {
    name: error.name,
    ...('code' in error ? { code: redact(error.code, depth + 1) } : {}),
    message: redactText(error.message),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}
