// Entry: finds the command and loads only what it needs (agents and algorithms start from here too, and must start fast).
const usage = `Salvia: SageMaker on your own machines.

  salvia serve [flags]               the server; prints "Salvia is ready at URL" when it answers (--help lists the flags)
  salvia env [--root] [--json]       shell lines that point an AWS client at it
  salvia exec [flags] -- COMMAND…    runs a command that takes Salvia for AWS, hard-coded hosts included (--help)
  salvia account create NAME         another account with root keys of its own (account list: all of them)
  salvia backup FILE.tar|FOLDER      a consistent copy of the data folder, while the server runs
  salvia restore BACKUP --data DIR   makes a data folder of it
  salvia pack FOLDER [flags]         packs a folder of files into RecordIO or TFRecord shards (--help)
  salvia inspect FILE|s3://…         what is in a data file: records, shapes, columns (--help)
  salvia cost [--by WHAT] [--json]   what jobs and endpoints cost, what spot saved, and who sits idle (--help)
  salvia doctor                      what this machine can run, and the effective settings
  salvia coverage                    every operation of every service: full, stored only, not implemented
  salvia algorithm NAME train|serve  a built-in algorithm as a container would run it

Every flag of serve is also a SALVIA_* variable. README.md has the first steps.
`;

type Command = (args: readonly string[]) => Promise<number>;

const commands: Readonly<Record<string, Command>> = {
  serve: async (args) => (await import("./cli/serve.ts")).serve(args),
  env: async (args) => (await import("./cli/env.ts")).env(args),
  exec: async (args) => (await import("./cli/exec.ts")).exec(args),
  "docker-shim": async (args) => (await import("./cli/docker-shim.ts")).dockerShim(args),
  account: async (args) => (await import("./cli/account.ts")).account(args),
  backup: async (args) => (await import("./cli/backup.ts")).backup(args),
  restore: async (args) => (await import("./cli/restore.ts")).restore(args),
  pack: async (args) => (await import("./cli/pack.ts")).pack(args),
  inspect: async (args) => (await import("./cli/inspect.ts")).inspect(args),
  cost: async (args) => (await import("./cli/cost.ts")).cost(args),
  doctor: async (args) => (await import("./cli/doctor.ts")).doctor(args),
  coverage: async (args) => (await import("./cli/coverage.ts")).coverage(args),
  algorithm: async (args) => (await import("./cli/algorithm.ts")).algorithm(args),
  agent: async (args) => (await import("./cli/agent.ts")).agent(args),
};

async function main(name: string | undefined, args: readonly string[]): Promise<number> {
  if (name === undefined || name === "help" || name === "--help") {
    process.stdout.write(usage);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command) return command(args);
  process.stderr.write(`salvia: there is no command "${name}".\n\n${usage}`);
  return 2;
}

process.exitCode = await main(process.argv[2], process.argv.slice(3));
