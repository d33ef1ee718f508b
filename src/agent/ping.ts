// GET /ping as SageMaker does it: 200 within 2 seconds is healthy.
import { get } from "node:http";

const pingTimeoutMs = 2_000;

export function ping(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = get(new URL("/ping", address), { agent: false, timeout: pingTimeoutMs }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    call.on("timeout", () => call.destroy());
    call.on("error", () => resolve(false));
  });
}
