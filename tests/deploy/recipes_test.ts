// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { commands } from "../../cli/commands.ts";
import { discoveryOf } from "../../cli/start_settings.ts";
import { startOptions } from "../../cli/start_options.ts";
import { startPeerService } from "../../mod.ts";
import { httpHandler } from "../../ops/mod.ts";
import { Kubernetes } from "./pods.ts";
import {
  canReadYaml,
  documents,
  isNpmReachable,
  type Manifest,
  only,
  type PodTemplate,
  readRecipe,
} from "./recipes.ts";
import { isInstalled } from "../installed.ts";
import { firstOf, lastOf, present } from "../values.ts";

const WORKLOADS = { StatefulSet: "kubernetes/stateful_set.yaml", Deployment: "kubernetes/deployment.yaml" } as const;
const variables = new Set(startOptions.map(({ name }) => `PARTISAN_${name.toUpperCase().replaceAll("-", "_")}`));
const ignore = !canReadYaml;

async function workload(kind: keyof typeof WORKLOADS): Promise<{ all: Manifest[]; template: PodTemplate }> {
  const all = [...await documents("kubernetes/common.yaml"), ...await documents(WORKLOADS[kind])];
  return { all, template: present(present(only(all, kind).spec).template) };
}

interface Compose {
  readonly services: {
    readonly partisan: {
      readonly environment: Readonly<Record<string, string>>;
      readonly command: readonly string[];
      readonly stop_grace_period: string;
      readonly healthcheck: { readonly test: readonly string[] };
      readonly secrets: readonly string[];
    };
  };
  readonly secrets: Readonly<Record<string, unknown>>;
}

for (const kind of ["StatefulSet", "Deployment"] as const) {
  Deno.test({
    name: `The recipe of a ${kind} agrees with itself: labels, names, ports, volumes`,
    ignore,
    async fn() {
      const { all, template } = await workload(kind);
      const { labels } = template.metadata;
      const service = only(all, "Service");
      for (const { spec } of all) {
        for (const selector of [spec?.selector?.matchLabels ?? spec?.selector]) {
          for (const [key, value] of Object.entries(selector ?? {})) assertEquals(labels[key], value);
        }
      }
      assertEquals(only(all, "RoleBinding").roleRef?.name, only(all, "Role").metadata.name);
      const account = only(all, "ServiceAccount").metadata.name;
      assertEquals(only(all, "RoleBinding").subjects, [{ kind: "ServiceAccount", name: account }]);
      assertEquals(template.spec.serviceAccountName, account);
      assertEquals([service.spec?.clusterIP, service.spec?.publishNotReadyAddresses], ["None", true]);
      if (kind === "StatefulSet") {
        const { spec } = only(all, kind);
        assertEquals([spec?.serviceName, spec?.podManagementPolicy], [service.metadata.name, "Parallel"]);
      }
      const [{ ports, env, volumeMounts, ...container }] = template.spec.containers as [
        PodTemplate["spec"]["containers"][0],
      ];
      for (const { targetPort, port } of present(present(service.spec).ports)) {
        assertEquals(ports.find(({ name }) => name === targetPort)?.containerPort, port);
      }
      const value = (name: string) => env.find((variable) => variable.name === name)?.value ?? "";
      assertEquals(
        value("PARTISAN_DISCOVERY"),
        `kubernetes:${service.metadata.name}:${service.spec?.ports?.[0]?.name}`,
      );
      const portOf = (wanted: string) => ports.find(({ name }) => name === wanted)?.containerPort;
      assertEquals(value("PARTISAN_LISTEN"), `$(POD_IP):${portOf("partisan")}`);
      assertEquals(value("PARTISAN_HTTP"), `$(POD_IP):${portOf("http")}`);
      for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
        assertEquals(probe.httpGet.port, "http");
      }
      assertEquals(volumeMounts.map(({ name }) => name).sort(), template.spec.volumes.map(({ name }) => name).sort());
      for (const name of ["PARTISAN_SECRET_FILE", "PARTISAN_CONFIG"]) {
        assert(value(name) === "" || volumeMounts.some(({ mountPath }) => value(name).startsWith(mountPath)), name);
      }
      assert(template.spec.terminationGracePeriodSeconds * 1_000 > Number(value("PARTISAN_DRAIN_TIMEOUT")));
    },
  });

  Deno.test({
    name: `The recipe of a ${kind} names commands, variables and paths that there are`,
    ignore,
    async fn() {
      await using node = await startPeerService({ name: "a" });
      const handler = httpHandler(node);
      const { template } = await workload(kind);
      for (const { args, env, startupProbe, readinessProbe, livenessProbe } of template.spec.containers) {
        assert(commands.some(({ name }) => name === args[0]));
        for (const { name } of env.filter(({ name }) => name !== "POD_IP")) assert(variables.has(name), name);
        const paths = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet.path);
        assertEquals(paths, ["/startup", "/ready", "/alive"]);
        for (const path of paths) assertEquals((await handler(new Request(`http://localhost${path}`))).status, 200);
      }
    },
  });

  Deno.test({
    name: `Five processes run as the pods of a ${kind}: they find each other, are ready, and one drains at SIGTERM`,
    ignore: ignore || Deno.build.os !== "linux",
    async fn() {
      const { all, template } = await workload(kind);
      const rules = present(only(all, "Role").rules);
      await using kubernetes = await Kubernetes.start(template, rules);
      const config = all.find((document) => document.kind === "ConfigMap")?.data?.["config.json"];
      const files = {
        "/etc/partisan/secret/secret": "kEkxBVYPVbpCHzsfvxMOWKHsrZCPFcVW",
        ...(config !== undefined && { "/etc/partisan/config.json": config }),
      };
      for (let index = 0; index < 5; index++) await kubernetes.run(`partisan-${index}`, files);
      const { startupProbe, readinessProbe, livenessProbe } = firstOf(template.spec.containers);
      for (const pod of kubernetes.pods) {
        for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
          await eventually(() => kubernetes.probe(pod, probe));
        }
      }
      const leaver = lastOf(kubernetes.pods);
      const others = kubernetes.pods.slice(0, -1).reverse();
      const names = kubernetes.pods.map(({ name }) => name);
      for (const pod of kubernetes.pods) await eventually(async () => `${await upOf(kubernetes, pod)}` === `${names}`);
      leaver.process.kill("SIGTERM");
      assertEquals((await leaver.process.status).code, 0);
      for (const pod of others) {
        await eventually(async () => `${await upOf(kubernetes, pod)}` === `${names.slice(0, -1)}`);
      }
      for (const { process } of others) process.kill("SIGTERM");
      for (const { process, log } of others) {
        assertEquals((await process.status).code, 0);
        const text = await log;
        assertFalse(/^\S+ error /m.test(text), text);
        // It is down because it has left, not because it was not heard.
        const before = text.slice(0, text.indexOf(` leave ${leaver.name}\n`));
        assertFalse(before.includes(" down "), text);
        assert(text.includes(` leave ${leaver.name}\n`), text);
      }
      const granted = rules.flatMap(({ resources, verbs }) => resources.flatMap((r) => verbs.map((v) => `${r} ${v}`)));
      assertEquals([...kubernetes.asked].sort(), granted.sort());
    },
  });
}

Deno.test({
  name: "The recipes for Kubernetes keep to the types of its API",
  ignore: ignore || !isNpmReachable,
  async fn() {
    const modules: Readonly<Record<string, string>> = {
      "v1": "core/v1",
      "apps/v1": "apps/v1",
      "policy/v1": "policy/v1",
      "rbac.authorization.k8s.io/v1": "rbac/v1",
    };
    const paths = ["kubernetes/common.yaml", ...Object.values(WORKLOADS)];
    const all = (await Promise.all(paths.map((path) => documents(path)))).flat();
    const lines = all.map((document, index) => {
      const from = ["npm", `kubernetes-types@1.30.0/${modules[document.apiVersion]}.d.ts`].join(":");
      return `import type { ${document.kind} as Kind${index} } from "${from}";
export const document${index}: Kind${index} = ${JSON.stringify(document)};`;
    });
    const folder = await Deno.makeTempDir();
    const check = (text: string) => {
      Deno.writeTextFileSync(`${folder}/manifests.ts`, text);
      return new Deno.Command(Deno.execPath(), {
        args: ["check", "--no-config", "--no-lock", `${folder}/manifests.ts`],
        env: { NO_COLOR: "1" },
      }).output();
    };
    const { success, stderr } = await check(lines.join("\n"));
    assert(success, new TextDecoder().decode(stderr));
    // It would notice.
    assert(!(await check(lines.join("\n").replace('"failureThreshold"', '"failuresThreshold"'))).success);
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test({
  name: "The recipe for Compose names commands, variables and sources that there are, and drains in time",
  ignore,
  async fn() {
    const [{ services: { partisan }, secrets }] = await documents<Compose>("compose/compose.yaml") as [Compose];
    const { environment } = partisan;
    for (const name of Object.keys(environment)) assert(variables.has(name), name);
    assertEquals(partisan.command, ["start"]);
    assertEquals(discoveryOf(present(environment["PARTISAN_DISCOVERY"])).name, "dns A+AAAA partisan");
    assert(Number.parseInt(partisan.stop_grace_period) * 1_000 > Number(environment["PARTISAN_DRAIN_TIMEOUT"]));
    assert(lastOf(partisan.healthcheck.test).includes(`http://${environment["PARTISAN_HTTP"]}/ready`));
    for (const name of partisan.secrets) {
      assert(Object.hasOwn(secrets, name));
      assertEquals(environment["PARTISAN_SECRET_FILE"], `/run/secrets/${name}`);
    }
    assertEquals(JSON.parse(await readRecipe("compose/config.json")), { evict: { after: 600_000 } });
  },
});

Deno.test("The unit for systemd names variables that there are, and drains in time", async () => {
  const unit = await readRecipe("systemd/partisan@.service");
  const settings = await readRecipe("systemd/node.env");
  const named = [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm), ...settings.matchAll(/^(\w+)=(.*)$/gm)];
  for (const [, name = ""] of named) assert(variables.has(name), name);
  const drain = named.find(([, name]) => name === "PARTISAN_DRAIN_TIMEOUT")?.[2];
  assert(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) * 1_000 > Number(drain));
});

Deno.test({
  name: "systemd has nothing to say against its unit",
  ignore: !await isInstalled("systemd-analyze"),
  async fn() {
    const folder = await Deno.makeTempDir();
    const unit = (await readRecipe("systemd/partisan@.service")).replace("/usr/local/bin/partisan", Deno.execPath());
    const verify = async (text: string) => {
      await Deno.writeTextFile(`${folder}/partisan@.service`, text);
      const { stdout, stderr } = await new Deno.Command("systemd-analyze", {
        args: ["verify", "--man=no", "--recursive-errors=no", `${folder}/partisan@.service`],
      }).output();
      return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    };
    const ours = (text: string) => text.split("\n").filter((line) => line.includes("partisan@"));
    assertEquals(ours(await verify(unit)), []);
    assert(ours(await verify(unit.replace("ProtectHome=yes", "ProtectHome=maybe"))).length > 0);
    await Deno.remove(folder, { recursive: true });
  },
});

async function upOf(kubernetes: Kubernetes, pod: Kubernetes["pods"][0]): Promise<string[]> {
  const response = await kubernetes.get(pod, "/members");
  const members: { readonly name: string; readonly status: string }[] = await response.json();
  return members.filter(({ status }) => status === "up").map(({ name }) => name).sort();
}

/** Asks until the answer is yes. */
async function eventually(ask: () => Promise<boolean>): Promise<void> {
  while (!await ask()) await new Promise((resolve) => setTimeout(resolve, 50));
}
