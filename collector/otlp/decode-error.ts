/** A request body that cannot be read at all. The message is for the sender's developer, short, and never quotes the body. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}
