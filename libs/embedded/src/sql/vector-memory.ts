import type { DuckDBVector } from '@duckdb/node-api';

/** What the pinned client keeps in its vectors: a view of native memory, as `items` or `dataView`. */
interface VectorMemory {
  readonly items?: unknown;
  readonly dataView?: unknown;
}

/**
 * The native memory of a vector. The client's own setters go value by value through BigInt and objects, twenty times
 * slower than writing the memory; `flush` then hands it over as after a setter. Throws when the client's layout is
 * another than the one that its pinned version has.
 */
export function vectorMemory(vector: DuckDBVector): ArrayBufferView<ArrayBuffer> {
  const { items, dataView } = vector as unknown as VectorMemory;
  const memory = items ?? dataView;
  if (!ArrayBuffer.isView(memory) || !(memory.buffer instanceof ArrayBuffer)) {
    throw new TypeError('the DuckDB client keeps its vectors in another form than expected');
  }
  return memory as ArrayBufferView<ArrayBuffer>;
}
