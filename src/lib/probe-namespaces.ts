// Whether this machine lets us run a program in mount and PID namespaces of its own, with bubblewrap (bwrap(1)).
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export type NamespaceSupport =
  | { readonly works: true; readonly bwrap: string }
  | { readonly works: false; readonly reason: string };

export const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Absolute path of a program in the system's folders; never the caller's PATH, since these run with the server's rights. */
export function findSystemProgram(name: string): string | undefined {
  return systemPath
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Tries it: takes about 20 ms. */
export function probeNamespaces(): NamespaceSupport {
  if (process.platform !== "linux") return { works: false, reason: "namespaces need Linux" };
  const bwrap = findSystemProgram("bwrap");
  if (!bwrap) return { works: false, reason: "bubblewrap (bwrap) is not installed" };
  if (process.getuid?.() === 0 && !findSystemProgram("setpriv"))
    return { works: false, reason: "the server is root, and setpriv (util-linux) is not installed" };
  const trial = [
    "--unshare-pid",
    "--ro-bind",
    "/",
    "/",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    // As for tasks: bubblewrap 0.5 and later.
    "--perms",
    "1777",
    "--tmpfs",
    "/dev/shm",
    "--",
    "/bin/sh",
    "-c",
    "exit 0",
  ];
  const { status, stderr, error } = spawnSync(bwrap, trial, { encoding: "utf8", timeout: 10_000 });
  if (status === 0) return { works: true, bwrap };
  return { works: false, reason: `bubblewrap failed: ${(error?.message ?? stderr).trim()}` };
}
