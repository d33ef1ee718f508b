import type { Store } from "./store.ts";

/** Fails the nth write from now on, before or after it is durable: what a crash leaves behind. */
export class FaultyStore {
  failsIn = 0;
  isDurable = false;

  wrap = (store: Store): Store => ({
    read: store.read,
    close: () => store.close(),
    write: async (work) => {
      const fails = this.failsIn > 0 && --this.failsIn === 0;
      if (fails && !this.isDurable) throw new Error("crash before the write");
      const answer = await store.write(work);
      if (fails) throw new Error("crash after the write");
      return answer;
    },
  });
}
