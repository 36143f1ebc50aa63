// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Bytes of the path of a Unix socket, the end not counted: what `sockaddr_un` of macOS has room for; Linux has four more. */
const PATH_BYTES_MAX = 103;
/** Bytes of the suffix that the path has at first. */
const SUFFIX_BYTES = 9;
const OWNER_ONLY = 0o600;

/** A server on a Unix socket. */
export interface SocketServer extends AsyncDisposable {
  /** Lets requests that are under way finish, and removes the file. */
  shutdown(): Promise<void>;
}

/**
 * Serves on a Unix socket that only its owner may use (mode 0600). The file appears at once with its mode. A file that was there is replaced only
 * if it is a socket of this user on which no process listens. Of two processes that want the same path at the same time, one gets it.
 *
 * @throws {Error} When the path is taken, too long, or in a folder in which others may rename files.
 */
export async function serveSocket(
  path: string,
  handler: Deno.ServeHandler<Deno.UnixAddr>,
): Promise<SocketServer> {
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > PATH_BYTES_MAX - SUFFIX_BYTES) {
    const most = PATH_BYTES_MAX - SUFFIX_BYTES;
    throw new RangeError(`Cannot listen on "${path}": it has ${bytes} bytes, and a path of a socket at most ${most}`);
  }
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
  await checkFolder(folder);
  // The process that looks and replaces holds the folder meanwhile.
  using held = await Deno.open(folder, { read: true });
  await held.lock(true);
  await checkFree(path);
  const hidden = `${path}.${crypto.randomUUID().slice(0, SUFFIX_BYTES - 1)}`;
  const server = Deno.serve({ path: hidden, onListen: () => {} }, handler);
  try {
    await Deno.chmod(hidden, OWNER_ONLY);
    await Deno.rename(hidden, path);
  } catch (error) {
    await server.shutdown();
    throw error;
  }
  const { ino } = await Deno.lstat(path);
  const shutdown = async () => {
    // Something else may have been put there.
    if (await Deno.lstat(path).then((found) => found.ino === ino, () => false)) await Deno.remove(path);
    await server.shutdown();
  };
  return { shutdown, [Symbol.asyncDispose]: shutdown };
}

async function checkFolder(folder: string): Promise<void> {
  const { mode } = await Deno.stat(folder);
  const [isWritable, isSticky] = [((mode ?? 0) & 0o022) !== 0, ((mode ?? 0) & 0o1000) !== 0];
  if (isWritable && !isSticky) {
    throw new Error(`Cannot listen in the folder "${folder}": others may write to it; choose one with mode 0700`);
  }
}

async function checkFree(path: string): Promise<void> {
  const found = await Deno.lstat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (found.isSocket !== true) throw new Error(`Cannot listen on "${path}": there is a file, and it is no socket`);
  if (found.uid !== null && found.uid !== Deno.uid()) {
    throw new Error(`Cannot listen on "${path}": the socket there belongs to another user`);
  }
  if (await isServed(path)) {
    throw new Deno.errors.AddrInUse(`Cannot listen on "${path}": another process listens there; choose another path`);
  }
}

/** Whether a process listens on a socket. An unclear case counts as yes. */
export async function isServed(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.NotFound);
  }
}
