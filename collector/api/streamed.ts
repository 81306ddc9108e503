export interface StreamedFile {
  /** Content-Type. */
  readonly type: string;
  /** Harmless in a header. */
  readonly fileName: string;
}

/** A body that is made while it is read: the next piece is asked for when the receiver wants more, and never after it has left. */
export function streamed(pieces: AsyncGenerator<string>, { type, fileName }: StreamedFile): Response {
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const step = await pieces.next();
        if (step.done === true) controller.close();
        else if (step.value !== "") controller.enqueue(Buffer.from(step.value, "utf8"));
        else await this.pull?.(controller);
      },
      cancel: async () => void (await pieces.return(undefined)),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "Content-Type": type,
      "Content-Disposition": `attachment; filename="${fileName}"`,
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    },
  });
}
