import { PermanentError, type OutgoingMessage } from '@meterflow/stage';

/** Pub/Sub's own. The emulator enforces none of them: a message over the first makes it hang. */
const messageBytesMax = 10_000_000;
const attributesMax = 100;
const attributeKeyBytesMax = 256;
const attributeValueBytesMax = 1_024;
/** What the wire adds to a payload and to each attribute, generously. */
const messageOverheadBytes = 64;
const attributeOverheadBytes = 16;

/** The bytes it takes on the wire. Throws PermanentError when Pub/Sub would never take it. */
export function checkedSize({ topic, payload, attributes }: OutgoingMessage): number {
  const entries = Object.entries(attributes);
  let bytes = payload.length + messageOverheadBytes;
  for (const [key, value] of entries) {
    const [keyBytes, valueBytes] = [Buffer.byteLength(key), Buffer.byteLength(value)];
    if (keyBytes > attributeKeyBytesMax || valueBytes > attributeValueBytesMax) {
      throw new PermanentError('attribute-too-large', `The attribute ${key} is too large for a message to ${topic}.`);
    }
    bytes += keyBytes + valueBytes + attributeOverheadBytes;
  }
  if (entries.length > attributesMax) {
    throw new PermanentError('too-many-attributes', `${entries.length} attributes are too many for a message.`);
  }
  if (bytes > messageBytesMax) {
    throw new PermanentError(
      'message-too-large',
      `A message of ${bytes} bytes to ${topic} is over Pub/Sub's limit of ${messageBytesMax}.`,
    );
  }
  return bytes;
}
