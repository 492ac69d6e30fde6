/** Programs that a test needs from outside: found where they are installed, installed from Debian where they are not. */
import { spawn } from "node:child_process";
import { access, constants, glob } from "node:fs/promises";
import path from "node:path";

// Servers live in sbin, which is not on everybody's PATH.
const serverDirectories = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

// Only root writes here, so nobody can put something else in its place; the kernel frees the lock when its holder dies.
const LOCK_FILE = "/run/postern-tests-apt.lock";

// A mirror that stalls must end as a failed test with the command in its message, not as a run that hangs.
const INSTALL_TIMEOUT_MS = 300_000;

const underWay = new Map<string, Promise<readonly string[]>>();

export interface Need {
  readonly packageName: string;
  /** A program that is looked up as a shell would, or the absolute path of a file, in which `*` stands for any name. */
  readonly file: string;
}

/**
 * The path of a program, after installing its Debian package if it is missing and we may. Test files run in parallel
 * processes: a lock makes one of them install while the others wait for it.
 * @throws with the one command that helps, where nothing can be installed. A test that needs a program never skips.
 */
export async function requirePackage(packageName: string, binary: string): Promise<string> {
  const [found] = await requirePackages([{ packageName, file: binary }]);
  if (found === undefined) throw new Error(`nothing was looked for: ${binary}`);
  return found;
}

/** The same for several packages at once: one installation, one command in the message. */
export function requirePackages(needs: readonly Need[]): Promise<readonly string[]> {
  const key = JSON.stringify(needs);
  const known = underWay.get(key);
  if (known !== undefined) return known;
  const found = findOrInstall(needs);
  underWay.set(key, found);
  return found;
}

async function findOrInstall(needs: readonly Need[]): Promise<readonly string[]> {
  const { found, missing } = await look(needs);
  if (missing.length === 0) return found;

  const packageNames = [...new Set(missing.map((need) => need.packageName))].join(" ");
  const files = missing.map((need) => need.file).join(", ");
  const command = `RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packageNames}`;
  const advice = `this test needs ${files}; as root run: ${command}`;
  if (process.getuid?.() !== 0 || (await findFile("apt-get")) === undefined) throw new Error(advice);

  // The packages may have come while we waited for the lock; apt-get then has nothing to do and says so quickly. A fresh
  // image has no package lists, which is the one failure that can be helped.
  const output = await runLocked(`${command} || { apt-get update && ${command}; }`);
  const after = await look(needs);
  if (after.missing.length > 0) throw new Error(`${advice}\n${output.slice(-2000)}`);
  return after.found;
}

async function look(needs: readonly Need[]): Promise<{ found: string[]; missing: Need[] }> {
  const found: string[] = [];
  const missing: Need[] = [];
  for (const need of needs) {
    const file = await findFile(need.file);
    if (file === undefined) missing.push(need);
    else found.push(file);
  }
  return { found, missing };
}

async function findFile(name: string): Promise<string | undefined> {
  if (path.isAbsolute(name)) {
    for await (const file of glob(name)) return file;
    return undefined;
  }
  const directories = [...(process.env["PATH"] ?? "").split(path.delimiter), ...serverDirectories];
  for (const directory of directories) {
    if (directory === "") continue;
    const file = path.join(directory, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs the script alone among all test processes of this machine, and returns what it said. */
function runLocked(script: string): Promise<string> {
  return new Promise((resolve) => {
    // RUNLEVEL=1 in the command keeps the package from starting its service; the test starts its own, on its own port.
    const child = spawn("flock", [LOCK_FILE, "sh", "-c", script], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: INSTALL_TIMEOUT_MS,
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", (error) => resolve(error.message));
    child.on("close", () => resolve(output));
  });
}
