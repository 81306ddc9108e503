import { createGrams, MAX_GRAMS, signatureOf } from "../../query/words/grams.ts";

/** The texts of one model call. */
export interface CallTexts {
  /** As PostgreSQL writes it, exact to the microsecond. */
  readonly time: string;
  /** Undefined where they are too long to be read. */
  readonly texts: readonly (string | null)[] | undefined;
}

/** Consecutive calls, and what pieces their texts have. */
export interface Block {
  /** Of its first and its last call; the calls of one moment are all in the same block. */
  readonly firstTime: string;
  readonly lastTime: string;
  readonly bits: Uint8Array;
}

export interface Blocks {
  /** Takes in the next call in the order of time. */
  add(call: CallTexts): void;
  /** There are no more calls. */
  end(): void;
}

/** Characters of text: about eighty calls of 3 KB, searched in two milliseconds where a signature says "maybe". */
const BLOCK_CHARS = 256 * 1024;

/** Cuts calls into blocks. One that could not be read leaves its block without a signature: it is searched whatever the word. */
export function createBlocks(onBlock: (block: Block) => void): Blocks {
  const grams = createGrams();
  let open: { readonly firstTime: string; lastTime: string; chars: number; isReadable: boolean } | undefined;

  function close(): void {
    const bits = signatureOf(grams.take());
    if (open?.isReadable === true) onBlock({ firstTime: open.firstTime, lastTime: open.lastTime, bits });
    open = undefined;
  }

  return {
    add({ time, texts }) {
      const isFull = open !== undefined && (open.chars >= BLOCK_CHARS || grams.size >= MAX_GRAMS || !open.isReadable);
      if (isFull && open?.lastTime !== time) close();
      open ??= { firstTime: time, lastTime: time, chars: 0, isReadable: true };
      open.lastTime = time;
      open.isReadable &&= texts !== undefined;
      for (const text of texts ?? []) {
        open.chars += text?.length ?? 0;
        grams.add(text ?? "");
      }
    },
    end: close,
  };
}
