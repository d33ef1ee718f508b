// The peer of the API benches: moto_server, in an environment of its own.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { peerPrograms } from "./python.ts";
import type { Target } from "./sign.ts";

const version = "5.2.1";
const port = 5_999;

export const motoName = `moto_server ${version}`;

export interface Moto {
  readonly target: Target;
  stop(): void;
}

export async function startMoto(): Promise<Moto> {
  const programs = peerPrograms("moto", [`moto[server,sagemaker,s3]==${version}`]);
  const child = spawn(join(programs, "moto_server"), ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  for (let attempt = 0; ; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const isUp = await fetch(`http://127.0.0.1:${port}/moto-api/`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isUp) break;
    if (attempt === 200) throw new Error("moto_server does not answer");
  }
  const target = { host: "127.0.0.1", port, accessKeyId: "AKIAPEERPEERPEER0001", secretAccessKey: "peer" };
  return { target, stop: () => child.kill("SIGKILL") };
}
