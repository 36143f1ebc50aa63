// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { fileStore } from "../../membership/file_store.ts";
import { decodeSnapshot, encodeSnapshot, type Snapshot } from "../../membership/snapshot_format.ts";
import { present } from "../values.ts";

/** A folder for one test. */
class Folder implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "file store " });

  file(name: string): string {
    return `${this.path}/${name}`;
  }

  names(): string[] {
    return Array.from(Deno.readDirSync(this.path), ({ name }) => name).sort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.path, { recursive: true });
  }
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function snapshot(incarnation: number): Snapshot {
  return { name: "a", incarnation, since: 0, identity: null, strategy: "full-mesh", members: ["some", "state"] };
}

Deno.test("fileStore().load() returns null as long as nothing was saved", async () => {
  await using folder = new Folder();
  assertEquals(await fileStore(folder.file("a")).load(), null);
  assertEquals(folder.names(), []);
});

Deno.test("fileStore() keeps what was saved last, and no other file", async () => {
  await using folder = new Folder();
  const store = fileStore(folder.file("a"));
  for (const text of ["one", "a longer one", "", "two"]) {
    await store.save(bytes(text));
    assertEquals(await store.load(), bytes(text));
    assertEquals(await fileStore(folder.file("a")).load(), bytes(text));
  }
  assertEquals(folder.names(), ["a"]);
});

Deno.test("fileStore() takes a URL, with whatever is escaped in it", async () => {
  await using folder = new Folder();
  const url = new URL(`file://${folder.path.replaceAll(" ", "%20")}/a%20b`);
  const store = fileStore(url);
  await store.save(bytes("text"));
  assertEquals(folder.names(), ["a b"]);
  assertEquals(await store.load(), bytes("text"));
  assertEquals(await present(store.setAside?.()), `${url}.damaged-1`);
  assertEquals(folder.names(), ["a b.damaged-1"]);
});

Deno.test("fileStore() takes a path without a folder", async () => {
  await using folder = new Folder();
  const code = `import { fileStore } from "${new URL("../../membership/file_store.ts", import.meta.url)}";
    await fileStore("a").save(new Uint8Array(3));`;
  await Deno.writeTextFile(folder.file("program.ts"), code);
  const args = ["run", "--no-lock", "--allow-read=.", "--allow-write=.", "program.ts"];
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: folder.path, stdin: "null" }).output();
  assertEquals(success, true);
  assertEquals(folder.names(), ["a", "program.ts"]);
});

/** Bytes that must not be looked at. */
class Superseded extends Uint8Array<ArrayBuffer> {
  override subarray(): Uint8Array<ArrayBuffer> {
    throw new Error("Superseded bytes were written");
  }
}

Deno.test("fileStore().save(): of those that come while one is under way only the last is written, and all resolve", async () => {
  await using folder = new Folder();
  const store = fileStore(folder.file("a"));
  let resolved = 0;
  const contents = [
    bytes("first"),
    ...Array.from({ length: 20 }, () => new Superseded(new ArrayBuffer(5))),
    bytes("last"),
  ];
  const saves = contents.map((content) => store.save(content).then(() => resolved++));
  await saves[0];
  assertEquals(resolved, 1);
  await Promise.all(saves);
  assertEquals(await store.load(), bytes("last"));
  await store.save(bytes("later"));
  assertEquals(await store.load(), bytes("later"));
  assertEquals(folder.names(), ["a"]);
});

Deno.test("fileStore().save() takes no notice of what an earlier incarnation was writing when it ended", async () => {
  await using folder = new Folder();
  const names = [`a.${crypto.randomUUID()}.new`, `a.${crypto.randomUUID()}.new`];
  for (const name of names) await Deno.writeFile(folder.file(name), new Uint8Array(1_000).fill(7));
  // What is another node's stays.
  const others = ["a.new", `b.${crypto.randomUUID()}.new`, "ab"].sort();
  for (const name of others) await Deno.writeTextFile(folder.file(name), "precious");
  await fileStore(folder.file("a")).save(bytes("short"));
  assertEquals(await fileStore(folder.file("a")).load(), bytes("short"));
  assertEquals(folder.names(), ["a", ...others].sort());
});

Deno.test({
  name: "fileStore().save() lets only the owner read the file, whichever user might read the one before",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = new Folder();
    await Deno.writeFile(folder.file("a"), bytes("old"), { mode: 0o644 });
    await fileStore(folder.file("a")).save(bytes("new"));
    const { mode } = await Deno.stat(folder.file("a"));
    assertEquals(present(mode) & 0o777, 0o600);
  },
});

Deno.test({
  name: "fileStore().save() writes to a file of its own, and follows no link that stands in its way",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = new Folder();
    const [path, guessed] = [folder.file("a"), "00000000-0000-4000-8000-000000000000" as const];
    await Deno.writeTextFile(folder.file("precious"), "precious");
    const store = fileStore(path);
    await store.save(bytes("before"));
    await Deno.symlink(folder.file("precious"), `${path}.${guessed}.new`);
    {
      using _ = replaced(crypto, "randomUUID", () => () => guessed);
      await assertRejects(() => store.save(bytes("text")), Deno.errors.AlreadyExists);
    }
    await Deno.symlink(folder.file("precious"), `${path}.new`);
    await store.save(bytes("text"));
    assertEquals(await Deno.readTextFile(folder.file("precious")), "precious");
    assertEquals((await Deno.lstat(path)).isSymlink, false);
    assertEquals(await Deno.readTextFile(path), "text");
  },
});

/** Has the system do things differently for a while. */
function replaced<Name extends string, Target extends Record<Name, unknown>>(
  target: Target,
  name: Name,
  change: (original: Target[Name]) => Target[Name],
): Disposable {
  const original = target[name];
  target[name] = change(original);
  return { [Symbol.dispose]: () => void (target[name] = original) };
}

Deno.test("fileStore().save() goes on where the system writes some of the bytes only", async () => {
  await using folder = new Folder();
  using _ = replaced(Deno.FsFile.prototype, "write", (write) => {
    return function (this: Deno.FsFile, some: Uint8Array) {
      return write.call(this, some.subarray(0, 3));
    };
  });
  await fileStore(folder.file("a")).save(bytes("more than three"));
  assertEquals(await Deno.readTextFile(folder.file("a")), "more than three");
});

Deno.test("fileStore().save() syncs the new file before it takes the place of the old one, and the folder after", async () => {
  await using folder = new Folder();
  const order: string[] = [];
  const isFolder = new WeakMap<Deno.FsFile, boolean>();
  using _open = replaced(Deno, "open", (open) => async (path, options) => {
    const file = await open(path, options);
    isFolder.set(file, `${path}` === `${folder.path}/`);
    return file;
  });
  using _sync = replaced(Deno.FsFile.prototype, "sync", (sync) => {
    return function (this: Deno.FsFile) {
      order.push(isFolder.get(this) ? "sync the folder" : "sync the file");
      return sync.call(this);
    };
  });
  using _rename = replaced(Deno, "rename", (rename) => (from, to) => {
    order.push("rename");
    return rename(from, to);
  });
  await fileStore(folder.file("a")).save(bytes("text"));
  assertEquals(order, ["sync the file", "rename", "sync the folder"]);
});

Deno.test("fileStore().save() that fails spoils neither what is there nor the next one", async () => {
  await using folder = new Folder();
  const store = fileStore(folder.file("a"));
  await store.save(bytes("old"));
  {
    using _ = replaced(
      Deno.FsFile.prototype,
      "write",
      () => () => Promise.reject(new Error("No space left on device")),
    );
    const failing = [store.save(bytes("new")), store.save(bytes("newer")), store.save(bytes("newest"))];
    for (const save of failing) await assertRejects(() => save, Error, "No space left");
  }
  assertEquals(await store.load(), bytes("old"));
  assertEquals(folder.names(), ["a"]);
  await store.save(bytes("new"));
  assertEquals(await store.load(), bytes("new"));
});

Deno.test("fileStore() rejects where there is no folder, and makes none", async () => {
  await using folder = new Folder();
  const store = fileStore(folder.file("missing/a"));
  assertEquals(await store.load(), null);
  await assertRejects(() => store.save(bytes("text")), Deno.errors.NotFound);
  assertEquals(folder.names(), []);
});

Deno.test("fileStore().load() rejects what is there but cannot be read", async () => {
  await using folder = new Folder();
  await Deno.mkdir(folder.file("a"));
  await assertRejects(() => fileStore(folder.file("a")).load());
});

Deno.test({
  name: "fileStore() rejects when Deno has no permission",
  permissions: { read: false, write: false },
  async fn() {
    const store = fileStore("/tmp/without permission");
    await assertRejects(() => store.load(), Deno.errors.NotCapable);
    await assertRejects(() => store.save(bytes("text")), Deno.errors.NotCapable);
    await assertRejects(() => present(store.setAside?.()), Deno.errors.NotCapable);
  },
});

Deno.test({
  name: "fileStore() rejects when the system denies access, and leaves the file as it is",
  // No node denies root anything.
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  async fn() {
    await using folder = new Folder();
    const store = fileStore(folder.file("a"));
    await store.save(bytes("old"));
    await Deno.chmod(folder.path, 0o555);
    await assertRejects(() => store.save(bytes("new")), Deno.errors.PermissionDenied);
    assertEquals(await store.load(), bytes("old"));
    await Deno.chmod(folder.file("a"), 0o000);
    await assertRejects(() => store.load(), Deno.errors.PermissionDenied);
    await Deno.chmod(folder.path, 0o755);
  },
});

Deno.test("fileStore().setAside() finds a new name each time", async () => {
  await using folder = new Folder();
  const store = fileStore(folder.file("a"));
  for (const number of [1, 2, 3]) {
    await store.save(bytes(`${number}`));
    assertEquals(await present(store.setAside?.()), folder.file(`a.damaged-${number}`));
    assertEquals(await store.load(), null);
  }
  assertEquals(folder.names(), ["a.damaged-1", "a.damaged-2", "a.damaged-3"]);
  assertEquals(await Deno.readTextFile(folder.file("a.damaged-2")), "2");
  await assertRejects(() => present(store.setAside?.()), Deno.errors.NotFound);
});

Deno.test("fileStore() has the old snapshot, whole, when the machine fails at any byte of writing the new one", async () => {
  await using folder = new Folder();
  const path = folder.file("a");
  const [old, young] = [encodeSnapshot(snapshot(1)), encodeSnapshot(snapshot(2))];
  await fileStore(path).save(old);
  for (let written = 0; written <= young.length; written++) {
    await Deno.writeFile(`${path}.${"0".repeat(8)}-0000-4000-8000-${"0".repeat(12)}.new`, young.subarray(0, written));
    assertEquals(decodeSnapshot(present(await fileStore(path).load())), snapshot(1));
  }
  await fileStore(path).save(young);
  assertEquals(decodeSnapshot(present(await fileStore(path).load())), snapshot(2));
  assertEquals(folder.names(), ["a"]);
});

Deno.test("fileStore(): a reader of the file finds a whole snapshot while it is written", async () => {
  await using folder = new Folder();
  const [writer, reader] = [fileStore(folder.file("a")), fileStore(folder.file("a"))];
  await writer.save(encodeSnapshot(snapshot(0)));
  let last = 0;
  let isDone = false;
  const reading = (async () => {
    while (!isDone) {
      const { incarnation } = decodeSnapshot(present(await reader.load()));
      assertEquals(incarnation >= last, true);
      last = incarnation;
    }
  })();
  for (let incarnation = 1; incarnation <= 30; incarnation++) await writer.save(encodeSnapshot(snapshot(incarnation)));
  isDone = true;
  await reading;
});
