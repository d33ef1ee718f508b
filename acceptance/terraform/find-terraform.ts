// Whether Terraform can run here, and where its AWS provider lies when the machine keeps one: a mirror in a folder below /opt, or
// wherever TF_CLI_CONFIG_FILE, ~/.terraformrc or the registry say.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const provider = "registry.terraform.io/hashicorp/aws";

const mirrors = (): string[] =>
  (existsSync("/opt") ? readdirSync("/opt") : [])
    .map((name) => join("/opt", name))
    .filter((folder) => existsSync(join(folder, provider)));

/** The suite's variables; a string says why it cannot run. */
export function findTerraform(): Record<string, string> | string {
  const version = spawnSync("terraform", ["version"], { encoding: "utf8" });
  if (version.error || version.status !== 0) return "there is no terraform on this machine";
  const [mirror] = mirrors();
  return mirror === undefined ? {} : { SALVIA_TERRAFORM_PLUGINS: mirror };
}
