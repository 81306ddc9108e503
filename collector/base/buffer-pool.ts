/**
 * Lends large buffers. V8 answers every few dozen megabytes of new ArrayBuffers with a full garbage collection: at 40 MB/s of requests
 * that was five a second and 37 % of the collector's CPU (two thirds of it on helper threads), for memory that lives a tenth of a second.
 */
export interface BufferPool {
  /** A buffer of at least `size` bytes with arbitrary content. It belongs to the caller, who may also just drop it. */
  take(size: number): Buffer;
  /** Takes back the memory behind `view`, if it was lent by this pool; other memory is left alone. Nobody may read or write it any more. */
  give(view: Buffer): void;
  readonly idleBytes: number;
}

/** Smaller ones are cheaper to make than to keep. */
const MIN_BYTES = 16 * 1024;
/** Larger ones are rare: kept, they would only push out many that are needed. */
const MAX_BYTES = 16 * 1024 * 1024;

export function createBufferPool(maxIdleBytes: number): BufferPool {
  const lent = new WeakSet<ArrayBufferLike>();
  /** Idle buffers by size, the size that was used last at the end. */
  const idle = new Map<number, Buffer[]>();
  let idleBytes = 0;

  function pop(size: number): Buffer | undefined {
    const buffers = idle.get(size);
    const buffer = buffers?.pop();
    if (buffers === undefined || buffer === undefined) return undefined;
    idle.delete(size);
    if (buffers.length > 0) idle.set(size, buffers);
    idleBytes -= size;
    return buffer;
  }

  function push(buffer: Buffer): void {
    const buffers = idle.get(buffer.length) ?? [];
    idle.delete(buffer.length);
    buffers.push(buffer);
    idle.set(buffer.length, buffers);
    idleBytes += buffer.length;
  }

  return {
    take(size) {
      // Node cuts the small ones out of a slab.
      if (size < MIN_BYTES) return Buffer.allocUnsafe(size);
      if (size > MAX_BYTES) return Buffer.allocUnsafeSlow(size);
      const rounded = sizeClass(size);
      const buffer = pop(rounded) ?? Buffer.allocUnsafeSlow(rounded);
      lent.add(buffer.buffer);
      return buffer;
    },
    give({ buffer }) {
      if (!lent.delete(buffer)) return;
      push(Buffer.from(buffer));
      for (const size of idle.keys()) {
        if (idleBytes <= maxIdleBytes) break;
        while (idleBytes > maxIdleBytes && pop(size) !== undefined);
      }
    },
    get idleBytes() {
      return idleBytes;
    },
  };
}

/** Four sizes to each power of two: at most a quarter is wasted, and requests that are alike share their buffers. */
function sizeClass(size: number): number {
  const step = 2 ** (Math.floor(Math.log2(size)) - 2);
  return Math.ceil(size / step) * step;
}

/** What a steady load keeps in turn: bodies and rows of a few dozen requests. */
const SHARED_IDLE_BYTES = 48 * 1024 * 1024;

/** The process's pool for request bodies and encoded rows. */
export const sharedBuffers = createBufferPool(SHARED_IDLE_BYTES);
