export interface StreamedBody {
  /** Content-Type. */
  readonly type: string;
  /** For a download; harmless in a header. */
  readonly fileName?: string;
  /** Told at once when the receiver has left, also while the next piece is being made. */
  readonly onCancel?: () => void;
}

/** A body that is made while it is read: the next piece is asked for when the receiver wants more, and never after it has left. */
export function streamed(pieces: AsyncGenerator<string>, { type, fileName, onCancel }: StreamedBody): Response {
  const nextPiece = async (): Promise<string | undefined> => {
    for (;;) {
      const step = await pieces.next();
      if (step.done === true) return undefined;
      if (step.value !== "") return step.value;
    }
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await nextPiece();
        if (piece === undefined) controller.close();
        else controller.enqueue(Buffer.from(piece, "utf8"));
      },
      async cancel() {
        onCancel?.();
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "Content-Type": type,
      ...(fileName === undefined ? {} : { "Content-Disposition": `attachment; filename="${fileName}"` }),
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    },
  });
}
