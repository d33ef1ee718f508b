// Where the aws CLI, version 2, is: it comes with an installer of its own or with Debian, never with pip.
import { spawnSync } from "node:child_process";

/** What its suite finds in its environment; a string says why it cannot run here. */
export function findAwsCli2(): Readonly<Record<string, string>> | string {
  for (const program of ["/usr/local/bin/aws", "/usr/bin/aws", "aws"]) {
    const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
    if (stdout?.startsWith("aws-cli/2.")) return { SALVIA_TEST_AWS_CLI: program };
  }
  return "there is no aws CLI of version 2 on this machine";
}
