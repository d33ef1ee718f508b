// `salvia serve`: starts the server, says where it is, and stops it cleanly on SIGTERM or Ctrl-C.
import { ConfigError, readConfig, settings, type Config } from "../config.ts";
import { FolderHeldError, FolderProblemError } from "../data-folder.ts";
import { startSalvia } from "../salvia.ts";

function help(): string {
  const lines = Object.values(settings).map(({ flag, variable, about, fallback }) => {
    const shown = fallback === undefined || typeof fallback === "object" ? "" : ` (default: ${String(fallback)})`;
    return `  --${flag.padEnd(24)} ${variable.padEnd(32)} ${about}${shown}`;
  });
  return `salvia serve [flags]\n\n${lines.join("\n")}\n`;
}

function configOrProblem(args: readonly string[]): Config | string {
  try {
    return readConfig(args);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

export async function serve(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(help());
    return 0;
  }
  const config = configOrProblem(args);
  if (typeof config === "string") {
    process.stderr.write(`${config}\n`);
    return 2;
  }
  // Whoever read our output may be gone: that must not end the server.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  try {
    const salvia = await startSalvia(config);
    // Listened for before the line below: whoever reads it may end us at once.
    const asked = new Promise<void>((resolve) => {
      process.once("SIGTERM", resolve);
      process.once("SIGINT", resolve);
    });
    process.stdout.write(`Salvia is ready at ${salvia.url}\n`);
    await asked;
    // A second signal ends the process at once: everything that matters is on disk.
    process.once("SIGINT", () => process.exit(130));
    await salvia.stop();
    return 0;
  } catch (error) {
    if (error instanceof FolderHeldError || error instanceof FolderProblemError || isAddressProblem(error)) {
      process.stderr.write(`Salvia did not start: ${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

const isAddressProblem = (error: unknown): error is Error =>
  error instanceof Error &&
  "code" in error &&
  (error.code === "EADDRINUSE" || error.code === "EACCES" || error.code === "EADDRNOTAVAIL");
