// A multi-model endpoint lives through kill -9: of the server, of its agent, of its program, and while a model is being loaded.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DeleteEndpointCommand,
  DescribeEndpointCommand,
} from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand } from "@aws-sdk/client-sagemaker-runtime";
import { expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { gateFunction } from "./gates.ts";
import { noPrograms, RoleArn, scikitImage, strikes, Struck, timeout, titled } from "./struck.ts";

const name = "factors";

/** A model is a number that it multiplies by; the one of seven takes its time to load. */
const inference = `${gateFunction}
def model_fn(folder):
    with open(os.path.join(folder, "factor")) as file: factor = int(file.read())
    print("loaded", factor, flush=True)
    if factor == 7: gate("seven")
    return factor
def transform_fn(model, data, content_type, accept):
    return str(model * int(data)), accept
`;

function archive(file: string, text: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "salvia-kill-factor-"));
  try {
    writeFileSync(join(folder, file), text);
    const { status, stderr } = spawnSync("tar", ["-czf", "packed.tar.gz", file], { cwd: folder });
    expect(status, String(stderr)).toBe(0);
    return readFileSync(join(folder, "packed.tar.gz"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function putModels(struck: Struck, ...factors: readonly number[]): Promise<void> {
  for (const factor of factors) await struck.put(`models/${factor}.tar.gz`, archive("factor", String(factor)));
}

async function serve(struck: Struck): Promise<void> {
  const { sagemaker } = struck.clients;
  await struck.put("source/sourcedir.tar.gz", archive("inference.py", inference));
  await putModels(struck, 2, 3, 5, 7);
  await sagemaker.send(
    new CreateModelCommand({
      ModelName: name,
      ExecutionRoleArn: RoleArn,
      PrimaryContainer: {
        Image: scikitImage,
        Mode: "MultiModel",
        ModelDataUrl: struck.uri("models/"),
        Environment: {
          SAGEMAKER_PROGRAM: "inference.py",
          SAGEMAKER_SUBMIT_DIRECTORY: struck.uri("source/sourcedir.tar.gz"),
        },
      },
    }),
  );
  const variant = {
    VariantName: "all",
    ModelName: name,
    InitialInstanceCount: 1,
    InstanceType: "ml.m5.large",
  } as const;
  await sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [variant] }));
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }));
}

async function answerOf({ clients }: Struck, factor: number): Promise<string> {
  const input = { EndpointName: name, TargetModel: `${factor}.tar.gz`, ContentType: "text/plain", Body: "10" };
  return Buffer.from((await clients.runtime.send(new InvokeEndpointCommand(input))).Body).toString();
}

const untilAnswered = (struck: Struck, factor: number): Promise<string> =>
  eventually(`an answer of ${factor}`, () => answerOf(struck, factor));

/** How often each model was loaded. */
async function loadsOf(struck: Struck): Promise<Record<string, number>> {
  const loads: Record<string, number> = {};
  for (const line of await struck.lines(`/aws/sagemaker/Endpoints/${name}`, "all/")) {
    const [, factor] = /^loaded (\d+)$/.exec(line) ?? [];
    if (factor !== undefined) loads[factor] = (loads[factor] ?? 0) + 1;
  }
  return loads;
}

const stateOf = async ({ clients }: Struck): Promise<string | undefined> =>
  (await clients.sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }))).EndpointStatus;

test.skipIf(noPrograms !== undefined)(
  titled(`a multi-model endpoint answers after kill -9 of ${strikes.join(", of ")}, and of its program`),
  { timeout },
  async () => {
    const struck = await Struck.start();
    await serve(struck);
    // While it is being created.
    await struck.strike("the server alone");
    expect(await untilAnswered(struck, 2)).toBe("20");
    expect(await untilAnswered(struck, 3)).toBe("30");
    // What an instance has loaded it needs no archive for any more, whoever looks after it.
    for (const factor of [2, 3]) await struck.remove(`models/${factor}.tar.gz`);
    for (const target of strikes) {
      await struck.strike(target);
      expect(await untilAnswered(struck, 2)).toBe("20");
      expect(await untilAnswered(struck, 3)).toBe("30");
      expect(await stateOf(struck)).toBe("InService");
    }
    expect(await untilAnswered(struck, 5)).toBe("50");
    // The program kept its models all along: nobody loaded one again.
    await eventually("the lines of three loads", async () =>
      Object.keys(await loadsOf(struck)).length === 3 ? true : undefined,
    );
    expect(await loadsOf(struck)).toEqual({ 2: 1, 3: 1, 5: 1 });

    // While a model is being loaded.
    const unanswered = answerOf(struck, 7).catch(() => "nobody was there");
    await struck.gates.reached("seven");
    expect(await struck.strike("the server and all its agents", () => struck.gates.open("seven"))).toBe(1);
    expect(await unanswered).toBe("nobody was there");
    expect(await untilAnswered(struck, 7)).toBe("70");

    // The program is lost with all that it had loaded: another takes its place, and loads what it is asked for.
    await putModels(struck, 2, 3);
    expect(struck.kill("program")).toBeGreaterThan(0);
    expect(await untilAnswered(struck, 2)).toBe("20");
    expect(await untilAnswered(struck, 3)).toBe("30");

    await struck.clients.sagemaker.send(new DeleteEndpointCommand({ EndpointName: name }));
    await struck.strike("the server alone");
    await struck.isClean();
  },
);
