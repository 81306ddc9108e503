export type Method = (this: unknown, ...given: never[]) => unknown;

/**
 * Puts a method before one of an object's own. True where that is done or the object has no such method; false where the object is frozen. The object is not
 * replaced: what holds it already, and its own private members, go on working.
 */
export function wrapMethod(object: object, name: string | symbol, wrap: (own: Method) => Method): boolean {
  const own: unknown = Reflect.get(object, name);
  if (typeof own !== "function") return true;
  return Reflect.defineProperty(object, name, { value: wrap(own as Method), configurable: true, writable: true, enumerable: false });
}

/** Shows what a call gives, now or later, on its way to the caller. */
export function watchOutcome(made: unknown, onValue: (value: unknown) => void, onError: (error: unknown) => void): unknown {
  if (!(made instanceof Promise)) {
    onValue(made);
    return made;
  }
  return made.then(
    (value: unknown) => {
      onValue(value);
      return value;
    },
    (error: unknown) => {
      onError(error);
      throw error;
    },
  );
}
