// Answers of one turn of the loop go out together. Each write wakes a client that sleeps, which costs the server more than
// the answer itself; a client that gets several at once wakes once, and its next requests arrive together as well.

/** More would leave the first waiting while clients could already work on it. */
const maxTogether = 16;

export class Outbox {
  #waiting: (() => void)[] = [];

  /** `write` runs in this turn of the loop. It must not throw: it would take the others' writes with it. */
  post(write: () => void): void {
    this.#waiting.push(write);
    if (this.#waiting.length >= maxTogether) this.#flush();
    else if (this.#waiting.length === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const writes = this.#waiting;
    this.#waiting = [];
    for (const write of writes) write();
  };
}
