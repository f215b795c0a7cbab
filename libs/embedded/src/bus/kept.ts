import type { BusFiles } from './bus-files.ts';

export interface KeptMessages {
  readonly messages: number;
  /** When the last of them may be trimmed, once it is settled and a newer one has come. Undefined where there is none. */
  readonly untilMs: number | undefined;
}

/** Looks at every message of every topic. */
export function keptOf(files: BusFiles, tenant: string, retentionMs: number): KeptMessages {
  const found = files.topology.topics().map((topic) =>
    files.onTopic(topic, (database) => {
      const row = database
        .prepare(
          `select count(*) as messages, max(publishedAtMs) as newestMs from messages
           where json_extract(attributes, '$.tenant') = ?`,
        )
        .get(tenant) as { messages: number; newestMs: number | null };
      return { messages: row.messages, newestMs: row.newestMs ?? 0 };
    }),
  );
  const messages = found.reduce((sum, each) => sum + each.messages, 0);
  const newestMs = Math.max(0, ...found.map((each) => each.newestMs));
  return { messages, untilMs: messages === 0 ? undefined : newestMs + retentionMs };
}
