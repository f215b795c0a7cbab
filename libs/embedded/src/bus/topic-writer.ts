import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { TransientError, type Clock, type OutgoingMessage } from '@meterflow/stage';
import { storeError, transaction } from '../database.ts';
import { SegmentWriter, type Placement } from './segment-writer.ts';
import { inlineBytesMax, inlineCommitBytesMax, openTopicFile, topicEnds, type TopicPosition } from './topic-file.ts';

/** Calls that wait together share one commit, up to this many bytes of payload. */
const commitBytesMax = 16 * 1024 * 1024;

interface Waiting {
  readonly messages: readonly OutgoingMessage[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Appends to one topic. Calls that come while a commit is under way share the next one. */
export class TopicWriter {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #database: DatabaseSync;
  readonly #statements: Record<'insert' | 'newSegment' | 'useSegment', StatementSync>;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | undefined;
  #segment: SegmentWriter | undefined;

  constructor(file: string, clock: Clock, bytesMax: number) {
    this.#file = file;
    this.#clock = clock;
    this.#bytesMax = bytesMax;
    this.#database = openTopicFile(file, 'full');
    this.#statements = {
      insert: this.#database.prepare('insert into messages values (?, ?, ?, ?, ?, ?, ?, ?)'),
      newSegment: this.#database.prepare(
        'insert into segments (lastSeq) select coalesce(max(seq), 0) from messages returning id',
      ),
      useSegment: this.#database.prepare('update segments set lastSeq = ? where id = ?'),
    };
  }

  /** Resolves when the messages are on the disk, all or none of them. Their bytes must not change until then. */
  append(messages: readonly OutgoingMessage[]): Promise<void> {
    const bytes = messages.reduce((sum, message) => sum + message.payload.length, 0);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ messages, bytes, resolve, reject });
      this.#committing ??= this.#commitAll().finally(() => {
        this.#committing = undefined;
      });
    });
  }

  /** Commits what waits, then lets go of the file. */
  async close(): Promise<void> {
    while (this.#committing !== undefined) {
      await this.#committing;
    }
    this.#segment?.close();
    this.#database.close();
  }

  /** Never rejects: each caller is told. */
  async #commitAll(): Promise<void> {
    // Whoever publishes in the same turn of the event loop comes along.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const group = takeGroup(this.#waiting);
      try {
        await this.#commit(group.flatMap(({ messages }) => messages));
        group.forEach(({ resolve }) => {
          resolve();
        });
      } catch (error) {
        const named = storeError(error, this.#file);
        group.forEach(({ reject }) => {
          reject(named);
        });
      }
    }
  }

  async #commit(messages: readonly OutgoingMessage[]): Promise<void> {
    let committed = false;
    while (!committed) {
      // 1. The large payloads, on the disk; 2. the rows that make them messages.
      const placements = await this.#place(messages);
      committed = transaction(this.#database, () => this.#insert(messages, placements));
    }
  }

  /** Where each payload lies; undefined for those that go into their row. */
  async #place(messages: readonly OutgoingMessage[]): Promise<(Placement | undefined)[]> {
    const payloads = messages.map(({ payload }) => payload);
    const bytes = payloads.reduce((sum, { length }) => sum + length, 0);
    const large = bytes <= inlineCommitBytesMax ? [] : payloads.filter(({ length }) => length > inlineBytesMax);
    const placements = large.length === 0 ? [] : await this.#appendToSegment(large);
    let next = 0;
    return payloads.map((payload) => (payload === large[next] ? placements[next++] : undefined));
  }

  async #appendToSegment(payloads: readonly Uint8Array[]): Promise<Placement[]> {
    if (this.#segment === undefined || this.#segment.full) {
      this.#segment?.close();
      this.#segment = undefined;
      const { id } = this.#statements.newSegment.get() as { id: number };
      this.#segment = new SegmentWriter(this.#file, id);
    }
    try {
      return await this.#segment.append(payloads);
    } catch (error) {
      // What a failed write or sync left in the file is unknown.
      this.#segment.close();
      this.#segment = undefined;
      throw error;
    }
  }

  /** False when the segment was trimmed while it was written to: it had no message then, and must not get one. */
  #insert(messages: readonly OutgoingMessage[], placements: readonly (Placement | undefined)[]): boolean {
    const { first, last } = topicEnds(this.#database);
    const end: TopicPosition = last ?? { seq: 0, publishedAtMs: 0, endBytes: 0, bytes: 0 };
    const keptBytes = end.endBytes - (first === undefined ? 0 : first.endBytes - first.bytes);
    this.#checkRoom(keptBytes + messages.reduce((sum, { payload }) => sum + payload.length, 0));
    const segment = placements.find((place) => place !== undefined)?.segment;
    if (segment !== undefined && this.#statements.useSegment.run(end.seq + messages.length, segment).changes === 0) {
      this.#segment?.close();
      this.#segment = undefined;
      return false;
    }
    this.#insertRows(messages, placements, end);
    return true;
  }

  #insertRows(
    messages: readonly OutgoingMessage[],
    placements: readonly (Placement | undefined)[],
    end: TopicPosition,
  ): void {
    // Never backwards, whatever the clock does: a replay finds its first message by bisection.
    const publishedAtMs = Math.max(Math.trunc(this.#clock.nowMs()), end.publishedAtMs);
    let { endBytes } = end;
    messages.forEach(({ attributes, payload }, index) => {
      endBytes += payload.length;
      const place = placements[index];
      const [inline, segment, offset] =
        place === undefined ? [payload, null, null] : [null, place.segment, place.offset];
      const seq = end.seq + index + 1;
      const header = JSON.stringify(attributes);
      this.#statements.insert.run(seq, publishedAtMs, endBytes, header, payload.length, inline, segment, offset);
    });
  }

  #checkRoom(bytes: number): void {
    if (bytes > this.#bytesMax) {
      throw new TransientError(
        `${this.#file} is full: a topic holds ${this.#bytesMax} bytes (topicBytesMax). Let its subscriptions catch up.`,
      );
    }
  }
}

/** Removes from the front what goes into one commit. */
function takeGroup(waiting: Waiting[]): Waiting[] {
  let bytes = 0;
  const beyond = waiting.findIndex((call, index) => {
    bytes += call.bytes;
    return bytes > commitBytesMax && index > 0;
  });
  return waiting.splice(0, beyond === -1 ? waiting.length : beyond);
}
