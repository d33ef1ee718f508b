import { seconds, type Clock } from "../../../lib/clock.ts";

/** Posts JSON to a webhook. Rejects unless it answers 2xx in time. */
export type PostJson = (url: string, body: string, headers: Readonly<Record<string, string>>) => Promise<void>;

const maxSeconds = 10;

export const postJson =
  (clock: Clock): PostJson =>
  async (url, body, headers) => {
    const waiting = new AbortController();
    const answered = new AbortController();
    const tooLate = clock.sleep(seconds(maxSeconds), answered.signal).then(
      () => waiting.abort(new Error(`no answer within ${maxSeconds} s`)),
      () => undefined,
    );
    try {
      const answer = await fetch(url, {
        method: "POST",
        body,
        headers: { ...headers, "content-type": "application/json" },
        redirect: "error",
        signal: waiting.signal,
      });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
    } finally {
      answered.abort();
      await tooLate;
    }
  };
