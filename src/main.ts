// Entry: finds the command and loads only what it needs (agents and algorithms start from here too, and must start fast).
const usage = `Salvia: SageMaker on your own machines.

  salvia serve [flags]               the server; prints "Salvia is ready at URL" when it answers (--help lists the flags)
  salvia env [--root] [--json]       shell lines that point an AWS client at it
  salvia doctor                      what this machine can run, and the effective settings
  salvia coverage                    every operation of every service: full, stored only, not implemented
  salvia algorithm NAME train|serve  a built-in algorithm as a container would run it

Every flag of serve is also a SALVIA_* variable. README.md has the first steps.
`;

async function main(command: string | undefined, args: readonly string[]): Promise<number> {
  switch (command) {
    case "serve":
      return (await import("./cli/serve.ts")).serve(args);
    case "env":
      return (await import("./cli/env.ts")).env(args);
    case "doctor":
      return (await import("./cli/doctor.ts")).doctor(args);
    case "coverage":
      return (await import("./cli/coverage.ts")).coverage(args);
    case "algorithm":
      return (await import("./cli/algorithm.ts")).algorithm(args);
    case "agent":
      return (await import("./cli/agent.ts")).agent(args);
    case undefined:
    case "help":
    case "--help":
      process.stdout.write(usage);
      return command === undefined ? 2 : 0;
    default:
      process.stderr.write(`salvia: there is no command "${command}".\n\n${usage}`);
      return 2;
  }
}

process.exitCode = await main(process.argv[2], process.argv.slice(3));
